"""The judges of a day: each holds one kind of promise against everything that happened, in its order."""
