# SPDX-License-Identifier: GPL-3.0-or-later
"""Rounds of disruption: how many nodes a round may take. The clock is a Monday, 12:00 UTC."""
from rules_disruption_nodes import annotated, claimed, condition, dear, pool_of, round_of, up, web  # noqa: F401
from world import *  # noqa: F403: this is the language of the cases

BUDGET = "No allowed disruptions for disruption reason %s due to blocking budget"


def idle(n, first=0, of="default", **more):
    """n empty nodes."""
    return [node("e%d" % i, itype="x1.small", of=of, **more) for i in range(first, first + n)]


def busy(n, first=0, **more):
    """n nodes that hold themselves, and their pods."""
    return [[node("b%d" % i, itype="x1.small", **more), pod("busy-%d" % i, cpu="1800m", on="b%d" % i, annotations={"karpenter.sh/do-not-disrupt": "true"})]
            for i in range(first, first + n)]


def flat(lists):
    return [x for pair in lists for x in pair]


def take(name, why, budgets, most, objects, **more):
    """Exactly so many nodes go."""
    round_of("budget-" + name, why, objects, pool=pool_of(budgets=budgets) if budgets is not None else od(), disruptedCount={"min": most, "max": most}, **more)


take("default", "a NodePool without budgets allows a tenth, rounded up", None, 1, idle(5))
take("default-many", "two of eleven", None, 2, idle(11))
take("percent", "percents round up", [{"nodes": "41%"}], 3, idle(5))
take("percent-exact", "unless they are whole", [{"nodes": "40%"}], 2, idle(5))
take("percent-one", "one percent is one node", [{"nodes": "1%"}], 1, idle(3))
take("percent-none", "none is none", [{"nodes": "0%"}], 0, idle(3), keeps={"e0": BUDGET % "Empty"})
take("percent-all", "all is all", [{"nodes": "100%"}], 5, idle(5))
take("number", "a number is a number", [{"nodes": "3"}], 3, idle(5))
take("number-none", "also none", [{"nodes": "0"}], 0, idle(5), keeps={"e4": BUDGET % "Empty"})
take("number-large", "or more than there are", [{"nodes": "50"}], 5, idle(5))
take("least", "the least of several counts", [{"nodes": "3"}, {"nodes": "1"}, {"nodes": "100%"}], 1, idle(5))
take("mixed", "of numbers and percents", [{"nodes": "3"}, {"nodes": "30%"}], 2, idle(5))
take("percent-of-all", "percents are of all nodes of the NodePool, not of candidates", [{"nodes": "50%"}], 3, idle(4) + flat(busy(2)))
take("not-ready", "a node that is not ready is disrupted already", [{"nodes": "2"}], 1, idle(3) + flat(busy(1)))
CASES[-1]["objects"][-3]["status"]["conditions"] = ready("False")
take("unknown-ready", "so is one that nobody hears of", [{"nodes": "2"}], 1, idle(3) + flat(busy(1)))
CASES[-1]["objects"][-3]["status"]["conditions"] = ready("Unknown")
take("not-ready-counts", "it still counts towards the whole", [{"nodes": "50%"}], 2, idle(4) + flat(busy(1)))
CASES[-1]["objects"][-3]["status"]["conditions"] = ready("False")
take("deleting", "a node that goes already uses the budget", [{"nodes": "2"}], 1, idle(3) + [node("gone", itype="x1.small", deleted=True)])
take("deleting-two", "two use it up", [{"nodes": "2"}], 0, idle(3) + [node("gone-%d" % i, itype="x1.small", deleted=True) for i in range(2)])
take("terminating", "one whose instance terminates is no node any more", [{"nodes": "50%"}], 2,
     idle(4) + [node("gone", itype="x1.small", claim_status=up(condition("InstanceTerminating")))])
take("uninitialized", "nor is one that is still starting", [{"nodes": "50%"}], 2, idle(4) + [node("s%d" % i, itype="x1.small", initialized=False) for i in range(2)])
take("unmanaged", "nor one of somebody else", [{"nodes": "50%"}], 2, idle(4) + [node("u%d" % i, managed=False) for i in range(4)])
take("reason-other", "a budget for a reason holds for that reason", [{"nodes": "0", "reasons": ["Drifted"]}], 3, idle(3))
take("reason-same", "and no other", [{"nodes": "0", "reasons": ["Empty"]}], 0, idle(3), keeps={"e0": BUDGET % "Empty"})
take("reason-two", "or for several", [{"nodes": "1", "reasons": ["Drifted", "Empty"]}, {"nodes": "100%", "reasons": ["Underutilized"]}], 1, idle(3))
take("reasons-and-all", "one without reasons holds for all", [{"nodes": "2"}, {"nodes": "3", "reasons": ["Empty"]}], 2, idle(4))
for reason, machine, load in (("Empty", dear(), []), ("Drifted", dear(claim_status=up(condition("Drifted"))), [web()]), ("Underutilized", dear(), [web()])):
    others = [r for r in ("Empty", "Drifted", "Underutilized") if r != reason]
    pool = dict(budgets=[{"nodes": "0", "reasons": [reason]}, {"nodes": "5", "reasons": others}])
    more = {} if reason != "Drifted" else {"policy": "WhenEmpty"}
    round_of("budget-no-" + reason.lower(), "no budget for the reason that applies", [machine] + load, pool=pool_of(**pool, **more), keptNodes=["n1"],
             keeps={"n1": BUDGET % reason if reason != "Drifted" else ""})
round_of("budget-drift-or-savings", "a drifted node without budget for drift may go to save", [dear(claim_status=up(condition("Drifted"))), web()],
         pool=pool_of(budgets=[{"nodes": "0", "reasons": ["Drifted"]}]), reasons={"n1": "Underutilized"}, disruptedNodes=["n1"])
round_of("budget-empty-first", "of an empty and a dear node the empty one goes first", [dear(), web(), node("e0", itype="x1.small")],
         pool=pool_of(budgets=[{"nodes": "1"}]), deletedNodes=["e0"], keptNodes=["n1"], reasons={"e0": "Empty"}, keeps={"n1": BUDGET % "Underutilized"})
round_of("budget-drift-before-savings", "and a drifted one before a dear one",
         [dear(), web(), node("d0", claim_status=up(condition("Drifted"))), pod("api-0", cpu="7", on="d0")],
         pool=pool_of(budgets=[{"nodes": "1"}]), disruptedNodes=["d0"], keptNodes=["n1"], reasons={"d0": "Drifted"})
round_of("budget-shared", "what goes for one reason counts for the others",
         [dear(), web()] + idle(2), pool=pool_of(budgets=[{"nodes": "2", "reasons": ["Underutilized"]}, {"nodes": "100%"}]),
         disruptedNodes=["e0", "e1"], keptNodes=["n1"])
round_of("budget-of-each-pool", "every NodePool has its own", [pool_of(budgets=[{"nodes": "1"}], name="other")] + idle(3) + idle(3, 3, of="other"),
         pool=pool_of(budgets=[{"nodes": "2"}]),
         disruptedCount=[{"nodes": ["e0", "e1", "e2"], "min": 2, "max": 2}, {"nodes": ["e3", "e4", "e5"], "min": 1, "max": 1}])
round_of("budget-expired-apart", "expired nodes need no budget and use none", [dear(claim={"expireAfter": "1h"}), web()] + idle(2),
         pool=pool_of(budgets=[{"nodes": "1"}]), disruptedCount={"min": 2, "max": 2}, disruptedNodes=["n1"], reasons={"n1": "Expired"})
round_of("budget-largest-savings", "one node may go: the one that saves most",
         [node("n1", itype="x1.medium"), dear("n2"), node("n3", itype="x1.large")] + [pod("p-%d" % i, cpu="1500m", on="n%d" % i) for i in (1, 2, 3)],
         pool=pool_of(budgets=[{"nodes": "1"}]), disruptedNodes=["n2"], keptNodes=["n1", "n3"])

# ---- schedules

WINDOWS = (
    ("daily-now", "0 12 * * *", "1h", True), ("daily-next-minute", "1 12 * * *", "1h", False), ("daily-just-over", "0 11 * * *", "1h", False),
    ("daily-last-minute", "0 11 * * *", "1h1m", True), ("daily-yesterday", "30 12 * * *", "23h", False), ("daily-since-yesterday", "30 12 * * *", "23h31m", True),
    ("macro-hourly", "@hourly", "1m", True), ("macro-daily", "@daily", "12h", False), ("macro-daily-longer", "@daily", "12h1m", True),
    ("macro-midnight", "@midnight", "13h", True), ("macro-weekly", "@weekly", "35h", False), ("macro-weekly-longer", "@weekly", "37h", True),
    ("macro-monthly", "@monthly", "36h", False), ("macro-monthly-longer", "@monthly", "37h", True), ("macro-yearly", "@yearly", "1450h", False),
    ("macro-annually", "@annually", "1453h", True), ("weekdays", "0 9 * * mon-fri", "8h", True), ("weekend", "0 9 * * sat,sun", "8h", False),
    ("weekend-long", "0 9 * * SUN", "27h1m", True), ("step", "*/15 * * * *", "10m", True), ("step-in-range", "*/7 10-11 * * *", "5m", True),
    ("step-in-range-over", "*/7 10-11 * * *", "4m", False), ("step-from", "5/20 11 * * *", "16m", True), ("step-from-over", "5/20 11 * * *", "15m", False),
    ("list", "0 3,12,21 * * *", "1h", True), ("list-of-ranges", "0 0-5,9-11 * * *", "1h", False), ("day-or-weekday", "0 12 15 * 1", "1h", True),
    ("day-or-weekday-day", "0 12 2 * 5", "1h", True), ("day-or-weekday-none", "0 12 15 * 5", "1h", False), ("day-and-star", "0 12 2 * *", "1h", True),
    ("weekday-and-star", "0 12 * * 2", "1h", False), ("month", "0 12 2 3 *", "1h", True), ("month-other", "0 12 2 4 *", "1h", False),
    ("month-name", "0 12 2 MAR *", "1h", True), ("month-range", "0 12 * jan-mar mon", "1h", True), ("question-mark", "0 12 ? * 1", "1h", True),
    ("leap-day", "0 0 29 2 *", "40h", False), ("short-month", "0 0 31 * *", "800h", True),
)
for name, schedule, duration, closed in WINDOWS:
    round_of("window-" + name, "a budget holds while its window is open", idle(2),
             pool=pool_of(budgets=[{"nodes": "0", "schedule": schedule, "duration": duration}, {"nodes": "100%"}]),
             disruptedCount={"min": 0 if closed else 2, "max": 0 if closed else 2})
round_of("window-of-reason", "a window may be for one reason", [dear(), web()] + idle(1),
         pool=pool_of(budgets=[{"nodes": "0", "schedule": "@hourly", "duration": "10m", "reasons": ["Underutilized"]}, {"nodes": "100%"}]),
         disruptedNodes=["e0"], keptNodes=["n1"])
round_of("window-percent", "or allow a part", idle(5), pool=pool_of(budgets=[{"nodes": "20%", "schedule": "0 9 * * *", "duration": "8h"}, {"nodes": "100%"}]),
         disruptedCount={"min": 1, "max": 1})
round_of("window-closed-alone", "outside of the only window everything may go", idle(3), pool=pool_of(budgets=[{"nodes": "0", "schedule": "0 3 * * *", "duration": "1h"}]),
         disruptedCount={"min": 3, "max": 3})
for name, schedule in (("hour", "0 25 * * *"), ("weekday", "0 12 * * 7"), ("words", "every day at noon please"), ("fields", "0 12 * *"), ("step", "*/0 * * * *"),
                       ("backwards", "0 12-9 * * *"), ("macro", "@fortnightly")):
    round_of("window-bad-" + name, "a schedule that cannot be read allows nothing, for any reason", [dear(), web()] + idle(1),
             pool=pool_of(budgets=[{"nodes": "100%", "schedule": schedule, "duration": "1h", "reasons": ["Drifted"]}, {"nodes": "100%"}]),
             noDisruption=True, keeps={"e0": "cannot be read"}, judged=False)

# ---- limits of the round

round_of("max-disruptions", "a round may be told to take few", idle(4), flags=["--max-disruptions=2"], disruptedCount={"min": 2, "max": 2})
round_of("max-disruptions-none", "or none", idle(4), flags=["--max-disruptions=0"], noDisruption=True)
for option in ("--max-disruptions", "--max-moved-pods"):
    round_of(option[2:] + "-named", "what the option leaves behind is not blamed on the nodes", [dear(), web()], flags=[option + "=0"], noDisruption=True,
             keeps={"n1": "Left for a later round (%s)" % option})
round_of("max-disruptions-expired", "expired nodes do not count", [dear(claim={"expireAfter": "1h"}), web()] + idle(2), flags=["--max-disruptions=1"],
         disruptedCount={"min": 2, "max": 2}, disruptedNodes=["n1"])
round_of("max-moved", "or to move few pods", [dear("n1"), dear("n2")] + [pod("a-%d" % i, cpu="100m", on="n1") for i in range(3)]
         + [pod("b-%d" % i, cpu="100m", on="n2") for i in range(2)], flags=["--max-moved-pods=2"], keptNodes=["n1"], disruptedNodes=["n2"],
         keeps={"n1": "Left for a later round"})
round_of("max-moved-none", "empty nodes move nobody", [dear(), web()] + idle(2), flags=["--max-moved-pods=0"], keptNodes=["n1"], deletedNodes=["e0", "e1"])
round_of("reasons-empty", "or to look at some reasons only", [dear(), web()] + idle(1), flags=["--reasons=Empty"], keptNodes=["n1"], deletedNodes=["e0"],
         keeps={"n1": "which --reasons leaves out"})
round_of("reasons-drifted", "one reason", [dear("n1", claim_status=up(condition("Drifted"))), web(), dear("n2")], flags=["--reasons=Drifted"],
         keptNodes=["n2"], disruptedNodes=["n1"], reasons={"n1": "Drifted"})
round_of("reasons-not-expired", "expired nodes stay where nobody asks for them", [dear(claim={"expireAfter": "1h"}), web()], flags=["--reasons=Empty,Drifted"],
         noDisruption=True)
