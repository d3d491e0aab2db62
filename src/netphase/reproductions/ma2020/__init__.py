"""Quenching and activation of neurons: Ma, Wu & E (2020)."""

from __future__ import annotations

from netphase.reproductions.ma2020 import (
    circle,
    contrast,
    departures,
    finite,
    learning_curves,
    mean_field,
    notebook_samples,
    notebooks,
    single,
    size_maps,
    width_sweep,
)
from netphase.reproductions.reproduction import Part, Reproduction

DEPARTURES = (
    "The text of the paper could not be had. Inputs and numbers are taken from the authors' "
    "published code and from figures that they show elsewhere; figures are numbered here by "
    "subject, and tolerances say how well a number could be read. Where a printed run is one run, "
    "it is held against the range in which one more of ours would lie with probability 95 %.",
    "Infinitely many inputs (Figs 1 to 3, 7, 9 to 11): runs follow the gradient flow, an "
    "iteration of the published code being the time 4π times its rate; at size small a literal "
    "descent of Fig. 1 is held against that.",
    "Fig. 1: the rate is not stated, 2e-3 is the one at which the random features fall as "
    "printed. The printed network and its printed features already differ by 5 % at iteration 10, "
    "where ours differ by 0.1 %; a slow tail needs a rival of the winner and is not seen from "
    "every seed.",
    "Fig. 3: d and rate are not stated. Runs go on to the loss 1e-8: at 5e-6, where the notebooks "
    "stop, from some seeds a rival of one of the five neurons is still dying.",
    "Fig. 7, left: the largest m p is 5 to 7 here in place of 2, at the printed m, d and "
    "iteration; the part near zero, the mean and the directions agree.",
    "Fig. 9: the rates of the films are not stated; ours is half of the stable one. On the circle "
    "three, four and five neurons are reached in d = 100, at times that differ from seed to seed "
    "by more than a factor of ten; six are seen in few dimensions. With d = 30 the quenched "
    "neurons fit a part of what three active ones leave, and the loss there is 6 % below the "
    "exact plateau.",
    "Fig. 9, linear: about half of our runs end with one neuron each at e₁ and −e₁, the others "
    "with three or four around them, which is as good a minimum.",
    "Figs 10 and 11: with few inputs neurons that have turned to the same direction share it, two "
    "on the single neuron from most seeds; such a state is a minimum.",
    "Samples (Figs 4 to 8, 10, 11): where steps do not matter, automatic descent follows the flow, "
    "an iteration at a printed rate η being the time 2η; literal are the 22 400 steps of the wide "
    "network of Fig. 8 and the descent of Fig. 11. Test errors are exact.",
    "Figs 4 and 7, circle: narrow networks creep towards approximation floors for ever, with a "
    "test error that hardly moves or rises; runs end at t = 2·10⁴, ten million iterations.",
    "Fig. 4, random features at m = n: held against 400 seeds of a second check, not against the "
    "digitised mean, whose distribution has a tail with exponent ½.",
    "Fig. 5: n, d and the rate are not stated; n = 200, d = 20 and 5e-3 are ours.",
    "Fig. 6: the floor of the printed map is that of training to 1e-5, not to 1e-7 as is stated at "
    "second hand; at 1e-7 sparse cells lie two decades deeper. With 3 neurons a mean-field network "
    "finds the neuron to the training error, in the printed map it does not; contours are claimed "
    "from m = 8 on.",
    "Fig. 8, m = 30: at training error 1e-5 a rival is still dying in many seeds; shares of seeds "
    "with one winner are given there and at 1e-8.",
    "Section 5.6: the theorems have bounds, m^−½ for the distance from the random features and 1/m "
    "for the motion of a neuron; both fall as m^−2 here, as counting powers says.",
    "Fig. 11: momentum and stochastic gradients are not part of this program; on infinitely many "
    "inputs there is descent only.",
    "Fig. 12 of the source (sphere data, explicit regulariser) is left out: its convention for "
    "the size of the targets could not be found.",
)

PARTS = (
    Part((1, 2), "Figs 1 and 2: one neuron, all inputs", single.run),
    Part((3,), "Fig. 3: finitely many neurons", finite.run),
    Part((4,), "Fig. 4: widths at 200 samples", width_sweep.run),
    Part((5,), "Fig. 5: output weights in time", learning_curves.run_weights),
    Part((6,), "Fig. 6: maps of width and samples", size_maps.run),
    Part((7,), "Fig. 7: mean-field scaling, all inputs", mean_field.run),
    Part((7,), "Fig. 7: mean-field scaling on samples", contrast.run),
    Part((8,), "Fig. 8: learning curves", learning_curves.run_curves),
    Part((9,), "Fig. 9: circle of neurons", circle.run),
    Part((9,), "Fig. 9: film of the linear target", notebooks.run_film),
    Part((10, 11), "Figs 10 and 11: notebooks, all inputs", notebooks.run_notebooks),
    Part((10,), "Fig. 10: linear target on samples", notebook_samples.run_linear),
    Part((11,), "Fig. 11: descent and Adam on samples", notebook_samples.run_optimisers),
    Part((), "Claim C5: departure from the random features", departures.run),
)

REPRODUCTION = Reproduction(
    key="ma2020",
    reference=(
        "C. Ma, L. Wu, W. E, The quenching-activation behavior of the gradient descent dynamics "
        "for two-layer neural network models, arXiv 2006.14450, 2020"
    ),
    parts=PARTS,
    departures=DEPARTURES,
)
"""What `netphase.reproductions.get("ma2020")` returns."""
