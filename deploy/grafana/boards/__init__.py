"""The dashboards, one a file."""

from deploy.grafana.boards import dataset, factory, models, services, training

BOARDS = (factory.BOARD, services.BOARD, models.BOARD, dataset.BOARD, training.BOARD)
