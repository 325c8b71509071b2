"""How hard is the problem for the model that will be trained?"""
