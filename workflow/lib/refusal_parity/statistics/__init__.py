"""The statistics of one study, from labelled responses to what it answers.

The modules beside the rooms are the tables of a study, and what all rooms share. The rooms:
`designs` (counts and what they cross), `methods` (every test and interval, declared), `fits`,
`variances` and `resampling` (what methods are made of), `simulation` (studies like this one),
`checking` (what a method is worth here), `planning`, `losses` (who was left out) and
`answering` (findings).
"""
