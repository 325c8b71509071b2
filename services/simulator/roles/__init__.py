"""One module per task. Each `answer_…` is a pure function of the request, the bank and the settings.

adjudication.py  chooses between two answers
draft.py         writes problems
grade.py         compares an answer with the key
judgement.py     judges problems, with the key in view
registry.py      chooses the task of a request
reply.py         the types of a task's input and result
same_problem.py  compares two statements
solve.py         solves problems
topics.py        lists topics of a subject
"""
