"""Rule sets that ask much of time, and customers whom it changes soon."""

from datetime import timedelta

from hypothesis import strategies as st
from rule_strategies import NOWS, customers, days, leaves, rule_sets

DAY = timedelta(days=1)

TIMED = ["last_call", "entered", "due", "customer_since", "born", "local_offset"]
# Of one field and of few lengths, so that several flip at once, and some to and fro.
close_leaves = st.one_of(
    st.builds(lambda op, length: {"f": "born", "op": op, "v": length},
              st.sampled_from(["due_within", "within_last", "older_than"]),
              st.sampled_from(["1d", "2d", "3d"])),
    st.builds(lambda word: {"f": "born", "op": "on", "v": word},
              st.sampled_from(["today", "tomorrow", "yesterday", "this_week"])),
    st.builds(lambda op, length: {"f": "entered", "op": op, "v": length},
              st.sampled_from(["within_last", "older_than"]), st.sampled_from(["1d", "2d"])),
    st.sampled_from([{"f": "attempts", "op": "ge", "v": 5}, {"f": "attempts", "op": "lt", "v": 5}]),
)  # fmt: skip
timed_sets = st.one_of(rule_sets(some=st.one_of(leaves(TIMED), leaves())), rule_sets(some=close_leaves))
born = st.builds(
    lambda person, day, entered: {**person, "fields": {**person["fields"], "born": day}, "entered": entered},
    customers,
    st.one_of(days, st.builds(lambda now, away: str((now + away * DAY).date()),
                              st.sampled_from(NOWS[:2]), st.integers(-3, 4))),
    st.sampled_from(NOWS),
)  # fmt: skip
