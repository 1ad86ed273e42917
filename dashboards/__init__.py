"""Pages that show what was published, and nothing else.

No figure is made here: a page adds up rows of one published build and says how well they are known.
"""
