"""The dashboards.

factory.py   rows, yield, rejections, time to completion
services.py  rates, errors, slots and lag of each service
models.py    calls, limits, tokens and money of each endpoint
dataset.py   Kafka lag, rows by admission, audits
training.py  training runs
"""

from deploy.grafana.boards import dataset, factory, models, services, training

BOARDS = (factory.BOARD, services.BOARD, models.BOARD, dataset.BOARD, training.BOARD)
