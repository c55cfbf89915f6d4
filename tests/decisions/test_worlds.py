"""Each policy world in worlds/ answers as its story says, and explains itself."""

from pathlib import Path

import pytest

from authz.decisions.decide import decide
from authz.decisions.explain import explain
from authz.decisions.told import told
from tests.decisions.story import Story, tell

STORIES = [tell(path) for path in sorted((Path(__file__).parent / "worlds").glob("*.toml"))]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.title)
def test_the_world_answers_as_its_story_says(story: Story) -> None:
    """Every allowance is an allowance, and every denial gives the stated reason."""
    answers = {line: decide(question, story.world) for line, question in story.allows}
    assert {} == {line: answer for line, answer in answers.items() if not answer.allowed}
    refused = {line: decide(question, story.world).code for line, question, _ in story.denies}
    assert {line: code for line, _, code in story.denies} == refused


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.title)
def test_every_answer_can_be_told_in_words(story: Story) -> None:
    """An explanation of each question names what opens it, and can be written as JSON values."""
    for _, question in story.allows:
        words = told(explain(question, story.world), story.world)
        assert words["allowed"]
        assert words["because"]
        assert words["to_revoke"]
    for _, question, code in story.denies:
        words = told(explain(question, story.world), story.world)
        assert (False, code) == (words["allowed"], words["code"])


def test_an_explanation_names_the_chain_of_groups_and_the_grant() -> None:
    """Alice is an intern, interns are in engineering, and engineering may use search."""
    story = next(story for story in STORIES if "nested" in story.title)
    words = told(explain(story.allows[0][1], story.world), story.world)
    assert [["interns", "engineering"]] == [way["groups"] for way in words["because"]]
    assert ["engineering may use search"] == [way["says"] for way in words["because"]]
    assert ["remove alice@example.com from interns"] == words["to_revoke"]


def test_a_denial_proposes_what_would_change_it() -> None:
    """Bob could be put in either group, or be granted search himself."""
    story = next(story for story in STORIES if "nested" in story.title)
    words = told(explain(story.denies[0][1], story.world), story.world)
    assert [
        "add bob@example.com to engineering",
        "grant that bob@example.com may use search",
    ] == words["to_allow"]
