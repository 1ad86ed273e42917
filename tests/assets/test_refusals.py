"""One sentence for each source and cause."""

from assets.refusals import together

KEY = "OpenAI refused the request ({}): the key was refused; set OPENAI_ADMIN_KEY to a key that may read this."


def test_a_wrong_key_is_said_once() -> None:
    refused = {
        "openai completions": [KEY.format("https://api.openai.com/v1/organization/usage/completions, answer 401")],
        "openai costs": [KEY.format("https://api.openai.com/v1/organization/costs, answer 401")],
        "openai audio speeches": [KEY.format("https://api.openai.com/v1/organization/usage/audio_speeches (page 1)")],
    }
    assert list(together(refused)) == [(
        "openai completions, costs, audio speeches",
        ["OpenAI refused the request: the key was refused; set OPENAI_ADMIN_KEY to a key that may read this."],
    )]


def test_other_causes_and_other_sources_stand_apart_and_keep_their_place() -> None:
    late = "OpenAI could not be read (https://x/costs): it answered 500; try again."
    refused = {
        "openai completions": [KEY.format("a")],
        "openai costs": [late],
        "azure costs": [KEY.format("b")],
        "call log calls": ["calls.csv, line 3: the day is missing; fill it.", "calls.csv, line 4: no; no."],
    }
    assert list(together(refused)) == [(table, sentences) for table, sentences in refused.items()]
    assert list(together({})) == []


def test_names_of_a_source_of_two_words() -> None:
    refused = {"electricity maps carbon intensity": [KEY.format("a")], "electricity maps price": [KEY.format("b")]}
    ((who, said),) = together(refused)
    assert who == "electricity maps carbon intensity, price" and len(said) == 1
