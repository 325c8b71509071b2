"""Dashboard: training runs and their progress."""

from deploy.grafana.panels import Board, bars, lines, number

BOARD = Board(
    "training",
    "Training",
    "Training runs on releases, and progress of the current one. All curves of a run are in its TensorBoard files.",
    (
        number(
            "Releases",
            "Made in the time range.",
            "short",
            'sum(increase(chimera_events_produced_total{event="dataset.released"}[$__range]))',
        ),
        number(
            "Runs triggered",
            "`training.triggered` in the time range.",
            "short",
            'sum(increase(chimera_events_produced_total{event="training.triggered"}[$__range]))',
        ),
        number(
            "Runs waiting",
            "Triggered and not yet finished.",
            "short",
            'sum(kafka_consumergroup_lag{consumergroup=~".+[.]trainer"})',
        ),
        number(
            "Evaluations",
            "Evaluation results that reached the planner, since it started.",
            "short",
            'sum(chimera_events_total{service="planner", event="evaluation.completed"})',
        ),
        lines(
            "Runs waiting over time",
            "Above 0 for a long time: no trainer is running.",
            "short",
            ('sum(kafka_consumergroup_lag{consumergroup=~".+[.]trainer"})', "waiting"),
        ),
        lines("Rows admitted", "For comparison with the runs.", "short", ('sum(chimera_rows{admission="in"})', "rows")),
        bars(
            "Runs by outcome",
            "`training.failed` has the reason of a failure; interrupted runs resume when the trainer restarts.",
            "short",
            "sum by (outcome) (chimera_training_runs_total)",
            "{{outcome}}",
        ),
        lines(
            "Progress",
            "Fraction of the steps of the current phase. Flat: the run hangs or waits for a judge.",
            "percentunit",
            ("max by (phase) (chimera_training_step / chimera_training_steps)", "{{phase}}"),
        ),
        lines("Loss", "Loss of the last step.", "short", ("max by (phase) (chimera_training_loss)", "{{phase}}")),
        lines(
            "Reward",
            "Mean reward of the last step of RL.",
            "short",
            ("max by (phase) (chimera_training_reward)", "{{phase}}"),
        ),
        lines(
            "Tokens trained on",
            "Tokens in training, by phase.",
            "short",
            ("max by (phase) (chimera_training_tokens)", "{{phase}}"),
        ),
    ),
)
