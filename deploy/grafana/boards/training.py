"""Is trained on what was grown?"""

from deploy.grafana.panels import Board, bars, lines, number

BOARD = Board(
    "training",
    "Training",
    "Is what was grown trained on, and does the run at hand learn? Every curve of a run is in its TensorBoard files.",
    (
        number(
            "Releases",
            "Made in the time shown.",
            "short",
            'sum(increase(chimera_events_produced_total{event="dataset.released"}[$__range]))',
        ),
        number(
            "Runs asked for",
            "Training that was triggered in the time shown.",
            "short",
            'sum(increase(chimera_events_produced_total{event="training.triggered"}[$__range]))',
        ),
        number(
            "Runs waiting",
            "Triggered and not finished by the trainer.",
            "short",
            'sum(kafka_consumergroup_lag{consumergroup=~".+[.]trainer"})',
        ),
        number(
            "Evaluations",
            "Results that reached the planner, ever.",
            "short",
            'sum(chimera_events_total{service="planner", event="evaluation.completed"})',
        ),
        lines(
            "Runs waiting over time",
            "One for long: nobody runs the trainer.",
            "short",
            ('sum(kafka_consumergroup_lag{consumergroup=~".+[.]trainer"})', "waiting"),
        ),
        lines("Rows since", "Rows in, to set beside runs.", "short", ('sum(chimera_rows{admission="in"})', "rows")),
        bars(
            "Runs by outcome",
            "Failed ones say why in training.failed; interrupted ones go on when the trainer is back.",
            "short",
            "sum by (outcome) (chimera_training_runs_total)",
            "{{outcome}}",
        ),
        lines(
            "Progress",
            "Share of the steps of the phase at hand. Flat: the run hangs, or waits for a judge.",
            "percentunit",
            ("max by (phase) (chimera_training_step / chimera_training_steps)", "{{phase}}"),
        ),
        lines("Loss", "Of the last step.", "short", ("max by (phase) (chimera_training_loss)", "{{phase}}")),
        lines(
            "Reward", "Mean of the last step of RL.", "short", ("max by (phase) (chimera_training_reward)", "{{phase}}")
        ),
        lines(
            "Tokens trained on",
            "By phase.",
            "short",
            ("max by (phase) (chimera_training_tokens)", "{{phase}}"),
        ),
    ),
)
