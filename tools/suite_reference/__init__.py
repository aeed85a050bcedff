"""Prompts and scores of lm-eval, as reference values of evalh-task's tests."""
