"""How the demo cuts its list: what is known of a customer before the call, and how often they were tried.

What describes the call itself (contact, day, month, duration, campaign) is no field: no rule may ask it.
"""

from typing import Any

RULES: dict[str, Any] = {
    "segments": [
        {
            "key": "hard_to_reach",
            "name": "Hard to reach",
            "when": {"f": "attempts", "op": "ge", "v": 3},
        },
        {
            "key": "bought_before",
            "name": "Bought in an earlier campaign",
            "when": {"f": "poutcome", "op": "eq", "v": "success"},
        },
        {
            "key": "students_and_retired",
            "name": "Students and retired",
            "when": {"f": "job", "op": "in", "v": ["retired", "student"]},
        },
        {
            "key": "savers",
            "name": "Savings and no loan",
            "when": {
                "all": [
                    {"f": "balance", "op": "ge", "v": 2000},
                    {"f": "loan", "op": "is_false"},
                    {"not": {"f": "default", "op": "is_true"}},
                ]
            },
        },
        {
            "key": "tenants",
            "name": "No mortgage, no loan",
            "when": {
                "all": [
                    {"f": "housing", "op": "is_false"},
                    {"f": "loan", "op": "is_false"},
                ]
            },
        },
    ]
}
"""Five segments, first match wins; everybody else is Unsegmented."""
