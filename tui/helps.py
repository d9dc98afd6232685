"""What every pane of the dashboard is, for the help, which shows the focused one first. One registry, no Textual."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class About:
    """What a pane is called, and what it shows."""

    title: str
    says: str


HELPS: dict[str, About] = {
    "status": About(
        "status row",
        "What needs you, whether an engine is at work, company time, the champion against the baseline, people, runs,"
        " slots and the share of the budget that is spent. A narrow window cuts it at the right.",
    ),
    "tabs": About("tabs", "The pages of the dashboard: press their number, or click."),
    "banner": About("banner", "What went wrong and what to type. The last good picture stays below it."),
    "tour": About("tour", "A few steps through the dashboard, each done by pressing what it says."),
    "org-chart": About(
        "organisation",
        "A card a team: its manager on top, the reports below, lines between managers. A sign is a role,"
        " the number its score against an average colleague.",
    ),
    "org-best": About("research", "The best confirmed metric so far, over company time, with the noise as a band."),
    "org-news": About("news", "What happened last, the newest below; what is worth a line and nothing else."),
    "org-side": About("agent", "The one under the cursor: its score with its parts, what it does, why it is kept."),
    "filter": About(
        "filter",
        "Words that must hold: a field and a value (status:ok), a comparison (cfg.lr>=1e-3), - for not, | for or.",
    ),
    "experiment-table": About(
        "experiments",
        "Every training run. A metric is better or worse by so many sigma, the noise between seeds.",
    ),
    "experiments-page": About(
        "experiment",
        "The run under the cursor: its metric against parent and champion, its curve, what was changed, verdicts, log."
        " Marked runs are drawn over each other.",
    ),
    "agent-table": About(
        "agents",
        "Everyone, with a score that shows its interval and how many runs it rests on: a wide one says little yet.",
    ),
    "agents-page": About(
        "agent",
        "The one under the cursor: place, score and its parts, decisions, appraisals, why it is still here.",
    ),
    "slot-lanes": About(
        "slots",
        "A lane a slot: what runs there and for how long, what ran before; the queue and why it waits.",
    ),
    "lanes": About(
        "timeline", "A lane an agent over company time. The cursor is the moment that every tab shows: a replay."
    ),
    "story": About("what happened", "The events around the cursor; what lies after it is faint."),
    "yaml": About(
        "chart.yaml",
        "The chart as text, checked while you type: what is wrong is underlined here and listed at the right."
        " Nothing of it is in force until you say so.",
    ),
    "preview": About("preview", "The chart as it would be; the last sound one stays while the text has problems."),
    "problems": About("problems", "What is wrong, with line and column and the word that was probably meant."),
    "batch-filter": About(
        "filter", "Words that a company's arm, project, seed, status or reason of failure must hold."
    ),
    "arms": About(
        "batch",
        "What was compared, best first: regret is how far a company's champion is from the best there is, with a 95 %"
        " interval; below, each arm against the reference in the same worlds. It follows a batch at work.",
    ),
    "batch-curves": About(
        "regret so far",
        "Of the best arms, over slot-seconds: how far the champion was from the best there is, with a 95 % band."
        " The numbers are at the ends of the curves.",
    ),
    "batch-table": About(
        "companies", "Every company of the batch: its arm, its world, and the regret that it ended with."
    ),
    "batch-page": About(
        "company", "The company under the cursor: its metrics, its regret over time, and the command to replay it."
    ),
}


def help_of(widget: object) -> About | None:
    """The help of a widget, or of the nearest pane that it stands in; None where nobody wrote any."""
    here = widget
    while here is not None:
        found = HELPS.get(getattr(here, "id", None) or "")
        if found is not None:
            return found
        here = getattr(here, "parent", None)
    return None
