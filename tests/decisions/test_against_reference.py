"""Whatever is done in whatever order, the World answers as the reference model does."""

from itertools import product
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from authz.decisions import facts as f
from authz.decisions.applied import applied
from authz.decisions.built import Everything, built
from authz.decisions.decide import decide
from authz.decisions.explain import explain
from authz.decisions.membership import groups_of
from authz.decisions.search import question_of, what_can, who_can
from authz.decisions.vocabulary import Action, Effect, Principal, Question
from authz.decisions.world import EMPTY, World
from authz.edge.group_check import found_member
from tests.decisions.reference import Reference
from tests.run.examples import examples

PEOPLE = range(1, 5)
GROUPS = range(1, 7)
SERVERS = range(1, 4)
TIMES = (None, 10.0, 20.0, 30.0)
TOOLS = ("find", "find_all", "read")
INSTANTS = (0.0, 10.0, 15.0, 20.0, 30.0)
SERVICE = Principal(99, "key:1")
ADDRESSES = ("", "10.1.2.3", "192.0.2.7", "2001:db8::1")

people = st.sampled_from(PEOPLE)
groups = st.sampled_from(GROUPS)
servers = st.sampled_from(SERVERS)
times = st.sampled_from(TIMES)


class Organisation(RuleBasedStateMachine):
    """An organisation in which anything may happen, also what our own verbs would refuse, such as cycles."""

    def __init__(self) -> None:
        """Begin with nobody."""
        super().__init__()
        self.world: World = EMPTY
        self.reference = Reference()

    def tell(self, *facts: f.Fact) -> None:
        """Let facts become true in the World, as one change."""
        self.world = applied(self.world, facts, revision=self.world.revision + 1)

    @initialize()
    def everyone(self) -> None:
        """Let there be people, groups (one of them of everyone) and servers, and something to lose."""
        for number in PEOPLE:
            self.person(number, active=True, human=number != max(PEOPLE))
        for number in GROUPS:
            self.group(number, everyone=number == 1)
        for number in SERVERS:
            self.server(number, enabled=True, off=None)

    @rule(number=people, active=st.sampled_from((True, True, True, False)), human=st.booleans())
    def person(self, number: int, *, active: bool, human: bool) -> None:
        """Somebody comes, is suspended, or is restored."""
        fact = f.PersonIs(number, f"uid-{number}", f"person{number}@example.com", f"P{number}", active, human)
        self.reference.people[number] = fact
        self.tell(fact)

    @rule(number=people)
    def person_leaves(self, number: int) -> None:
        """Somebody is deleted, with what hangs on them."""
        gone = [f.GrantGone(n) for n, grant in self.reference.grants.items() if grant.person == number]
        self.reference.grants = {n: g for n, g in self.reference.grants.items() if g.person != number}
        self.reference.people.pop(number, None)
        self.reference.members = {pair: until for pair, until in self.reference.members.items() if pair[0] != number}
        self.tell(*gone, f.PersonGone(number))

    @rule(number=groups)
    def new_group(self, number: int) -> None:
        """A group is made."""
        if number != 1:
            self.group(number, everyone=False)

    def group(self, number: int, *, everyone: bool) -> None:
        """Tell of a group."""
        fact = f.GroupIs(number, f"group{number}", everyone)
        self.reference.groups[number] = fact
        self.tell(fact)

    @rule(number=groups)
    def group_goes(self, number: int) -> None:
        """A group is deleted, with what hangs on it."""
        if number == 1 or number not in self.reference.groups:
            return
        told: list[f.Fact] = [f.GrantGone(n) for n, g in self.reference.grants.items() if g.group == number]
        told += [f.MemberGone(*pair) for pair in self.reference.members if pair[1] == number]
        self.reference.grants = {n: g for n, g in self.reference.grants.items() if g.group != number}
        self.reference.members = {p: until for p, until in self.reference.members.items() if p[1] != number}
        self.reference.nests = {pair for pair in self.reference.nests if number not in pair}
        del self.reference.groups[number]
        self.tell(*told, f.GroupGone(number))

    @rule(person=people, group=groups, until=times)
    def join(self, person: int, group: int, until: float | None) -> None:
        """Somebody joins a group, or their membership gets another end."""
        if person in self.reference.people and group in self.reference.groups:
            self.reference.members[person, group] = until
            self.tell(f.MemberIs(person, group, until))

    @rule(person=people, group=groups)
    def leave(self, person: int, group: int) -> None:
        """Somebody leaves a group."""
        self.reference.members.pop((person, group), None)
        self.tell(f.MemberGone(person, group))

    @rule(child=groups, parent=groups)
    def nest(self, child: int, parent: int) -> None:
        """A group is put in a group, perhaps in a circle."""
        if child in self.reference.groups and parent in self.reference.groups:
            self.reference.nests.add((child, parent))
            self.tell(f.NestIs(child, parent))

    @rule(child=groups, parent=groups)
    def unnest(self, child: int, parent: int) -> None:
        """A group is taken out of a group."""
        self.reference.nests.discard((child, parent))
        self.tell(f.NestGone(child, parent))

    @rule(number=servers, enabled=st.booleans(), off=st.sampled_from((None, *TOOLS)))
    def server(self, number: int, *, enabled: bool, off: str | None) -> None:
        """A server is registered, switched, or gets a tool switched off."""
        routes = (("mcp.example.com", f"/s{number}"),)
        fact = f.ServerIs(
            number, f"server{number}", "mcp", enabled, "", routes, TOOLS, switched_off=() if off is None else (off,)
        )
        self.reference.servers[number] = fact
        self.tell(fact)

    @rule(
        number=st.integers(1, 6),
        holder=st.one_of(st.tuples(st.just("group"), groups), st.tuples(st.just("person"), people)),
        action=st.sampled_from(("use", "administer")),
        server=servers,
        tools=st.sampled_from((None, ("find",), ("find*",), ("*d",), ("read", "f*l*"), ("f?*", "[f]*"))),
        until=times,
        networks=st.sampled_from(((), ("10.0.0.0/8",), ("192.0.2.0/24", "2001:db8::/32"))),
    )
    def give(self, number: int, holder: tuple[str, int], **grant: object) -> None:
        kind, who = holder
        if who not in (self.reference.groups if kind == "group" else self.reference.people):
            return
        fact = f.GrantIs(
            number,
            who if kind == "group" else None,
            who if kind == "person" else None,
            grant["action"], grant["server"], grant["tools"], grant["until"], grant["networks"],  # type: ignore[arg-type]  # values of the strategies
        )  # fmt: skip
        self.reference.grants[number] = fact
        self.tell(fact)

    @rule(number=st.integers(1, 6))
    def take_back(self, number: int) -> None:
        """A grant is taken back."""
        self.reference.grants.pop(number, None)
        self.tell(f.GrantGone(number))

    @invariant()
    def deltas_make_the_world_that_a_rebuild_makes(self) -> None:
        """Changes applied one by one give exactly the World that the whole of the facts gives at once."""
        known = self.reference
        rebuilt = built(
            Everything(
                people=known.people.values(),
                groups=known.groups.values(),
                members=[(person, group, until) for (person, group), until in known.members.items()],
                nests=known.nests,
                servers=known.servers.values(),
                grants=known.grants.values(),
            ),
            revision=self.world.revision,
        )
        assert rebuilt == self.world

    @rule(person=people, group=groups, at=st.sampled_from((0.0, 10.0, 15.0, 20.0, 30.0, 99.0)))
    def membership_is_what_the_reference_says(self, person: int, group: int, at: float) -> None:
        """Being in a group, asked one by one or all at once."""
        if person not in self.reference.people or group not in self.reference.groups:
            return
        who = self.world.people[person]
        expected = self.reference.in_group(person, group, at)
        assert expected == (group in groups_of(self.world, who, at))
        pair = (who.email, self.world.groups[group].name)
        found = found_member(self.world, SERVICE, pair, at=at, address="", dialect="api")
        assert (expected and who.active) == found.member
        assert found.since <= at < found.until
        for later in (0.0, 10.0, 15.0, 20.0, 30.0, 99.0):
            if found.since <= later < found.until:
                assert found.member == (who.active and self.reference.in_group(person, group, later))

    @rule(
        action=st.sampled_from(tuple(Action)),
        tool=st.sampled_from((None, "", *TOOLS, "other", "fxnd", "f?nd")),
        address=st.sampled_from(ADDRESSES),
    )
    def decisions_are_what_the_reference_says(self, action: Action, tool: str | None, address: str) -> None:
        """The decision about everybody and everything, its explanation, what it proposes, and who can reach it."""
        for server, at in product((*SERVERS, max(SERVERS) + 1), INSTANTS):
            asked: dict[str, Any] = {"tool": tool, "at": at, "address": address}
            expected = {
                person: self.reference.may(person, action, server, **asked) for person in (*PEOPLE, max(PEOPLE) + 1)
            }
            for person, allowed in expected.items():
                self.explained(question_of(person, server, action=action, **asked), allowed=allowed)
            found = who_can(self.world, server, action=action, **asked)
            assert sorted(person for person, allowed in expected.items() if allowed) == [each.number for each in found]

    def explained(self, question: Question, *, allowed: bool) -> None:
        """Check one decision and its explanation."""
        decision = decide(question, self.world)
        assert allowed == decision.allowed
        explanation = explain(question, self.world)
        assert decision == explanation.decision
        if allowed:
            assert Effect.DENY == decide(question, applied(self.world, explanation.revoke)).effect
            assert question.at < decision.until
            ways = [way.until for way in explanation.openings if way.grant.number == decision.grant]
            assert max(ways) == decision.until
        else:
            assert () == explanation.revoke
        for fact in explanation.allow:
            assert decide(question, applied(self.world, [fact])).allowed

    @rule(person=people, at=st.sampled_from((0.0, 15.0, 99.0)), address=st.sampled_from(ADDRESSES))
    def what_somebody_can_reach_is_what_the_reference_says(self, person: int, at: float, address: str) -> None:
        """Every server and tool by brute force."""
        found = {reach.server.number: reach for reach in what_can(self.world, person, at=at, address=address)}
        for server in self.reference.servers:
            actions = tuple(
                action
                for action in Action
                if self.reference.may(person, action, server, tool=None, at=at, address=address)
            )
            assert actions == (found[server].actions if server in found else ())
            if Action.USE not in actions:
                tools = tuple(
                    sorted(
                        tool
                        for tool in TOOLS
                        if self.reference.may(person, "use", server, tool=tool, at=at, address=address)
                    )
                )
                assert tools == (tuple(sorted(found[server].tools)) if server in found else ())


TestOrganisation = Organisation.TestCase
TestOrganisation.settings = settings(max_examples=examples(200), stateful_step_count=60)
