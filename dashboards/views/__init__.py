"""One module per page; each has a `page` function that takes the `Book` to show.

What does not belong here: SQL, chart definitions and HTML that more than one page uses.
"""
