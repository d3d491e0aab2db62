"""Those who train: netphase, and its peers as people write them. Imports happen when asked.

Every contestant is a class with ``name``, ``runs`` (networks trained by one call) and
``run(steps) -> Parameters`` (the parameters of the first network after so many steps from the
start of the case).
"""

import numpy as np

from cases import Case
from netphase.engine.problem import Stop
from netphase.networks import Parameters


class Netphase:
    """The fused compiled descent, one network on one core."""

    name = "netphase"
    runs = 1

    def __init__(self, case: Case) -> None:
        from netphase.engine import descend

        self.descend, self.case = descend, case
        self.problem, self.start = case.problem(), case.start()

    def run(self, steps: int) -> Parameters:
        out = self.descend(
            self.problem,
            self.start,
            learning_rate=self.case.learning_rate,
            stop=Stop(mean_square=0.0, max_steps=steps),
            tracked=self.case.m,
        )
        assert out.steps == steps, out.status
        return out.parameters


class NetphaseGram(Netphase):
    """The Gram form for large inputs."""

    name = "netphase (Gram)"

    def __init__(self, case: Case) -> None:
        from netphase.engine.large import descend_large

        self.descend, self.case = descend_large, case
        self.problem, self.start = case.problem(), case.start()


class TorchEager:
    """PyTorch as the author of a paper writes it: autograd, SGD, the loss looked at every step."""

    name = "PyTorch eager"
    runs = 1

    def __init__(self, case: Case) -> None:
        import torch

        torch.set_num_threads(1)
        self.torch, self.case = torch, case
        problem = case.problem()
        self.x, self.y = torch.tensor(problem.x), torch.tensor(problem.y)
        self.scale = problem.output_scale
        self.activation = {"relu": torch.relu, "tanh": torch.tanh}[case.activation]

    def run(self, steps: int) -> Parameters:
        torch = self.torch
        start = self.case.start()
        a = torch.tensor(start.a, requires_grad=True)
        w = torch.tensor(start.w, requires_grad=True)
        optimiser = torch.optim.SGD([a, w], lr=self.case.learning_rate)
        losses = []
        for _ in range(steps):
            optimiser.zero_grad()
            f = self.scale * (self.activation(self.x @ w.T) @ a)
            loss = 0.5 * torch.mean((f - self.y) ** 2)
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
        return Parameters(a.detach().numpy(), w.detach().numpy())


class TorchVmap(TorchEager):
    """torch.func.vmap over many networks at once."""

    name = "PyTorch vmap"

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.runs = case.runs

    def run(self, steps: int) -> Parameters:
        torch = self.torch

        def loss(a, w):
            f = self.scale * (self.activation(self.x @ w.T) @ a)
            return 0.5 * torch.mean((f - self.y) ** 2)

        gradients = torch.func.vmap(torch.func.grad(loss, argnums=(0, 1)))
        starts = [self.case.start(seed) for seed in range(self.runs)]
        a = torch.tensor(np.stack([each.a for each in starts]))
        w = torch.tensor(np.stack([each.w for each in starts]))
        rate = self.case.learning_rate
        for _ in range(steps):
            grad_a, grad_w = gradients(a, w)
            a -= rate * grad_a
            w -= rate * grad_w
        return Parameters(a[0].numpy(), w[0].numpy())


class _Jax:
    """Scans of a fixed length, compiled once; ``steps`` must be a multiple of ``chunk``."""

    def __init__(self, case: Case) -> None:
        import jax

        jax.config.update("jax_enable_x64", True)
        self.jax, self.case, self.runs = jax, case, case.runs
        problem = case.problem()
        self.x, self.y, self.scale = problem.x, problem.y, problem.output_scale
        self.rate = np.dtype(case.dtype).type(case.learning_rate)
        work = case.n * case.d * case.m * case.runs
        self.chunk = 500 if work < 10**7 else 10
        import jax.numpy as jnp

        self.activation = {"relu": jax.nn.relu, "tanh": jnp.tanh}[case.activation]
        self.compiled: dict[int, object] = {}

    def scan(self, length: int):
        if length not in self.compiled:
            jax = self.jax

            @jax.jit
            def chunk(state):
                def body(carry, _):
                    return self.step(carry), None

                return jax.lax.scan(body, state, None, length=length, unroll=self.unroll)[0]

            self.compiled[length] = chunk
        return self.compiled[length]

    def advance(self, state, steps: int):
        for length, count in ((self.chunk, steps // self.chunk), (steps % self.chunk, 1)):
            for _ in range(count if length else 0):
                state = self.scan(length)(state)
        return self.jax.block_until_ready(state)

    def starts(self):
        import jax.numpy as jnp

        starts = [self.case.start(seed) for seed in range(self.runs)]
        return jnp.stack([each.a for each in starts]), jnp.stack([each.w for each in starts])


class JaxAutodiff(_Jax):
    """vmap(grad) in a scan."""

    name = "JAX vmap(grad)"
    unroll = 1

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        jax = self.jax
        import jax.numpy as jnp

        def loss(a, w):
            f = self.scale * (self.activation(self.x @ w.T) @ a)
            return 0.5 * jnp.mean((f - self.y) ** 2)

        self.gradients = jax.vmap(jax.grad(loss, argnums=(0, 1)))

    def step(self, state):
        grads = self.gradients(*state)
        return tuple(p - self.rate * g for p, g in zip(state, grads, strict=True))

    def run(self, steps: int) -> Parameters:
        a, w = self.advance(self.starts(), steps)
        return Parameters(np.asarray(a[0]), np.asarray(w[0]))


class JaxByHand(_Jax):
    """The fastest JAX found: hand-written gradients; unrolled elementwise for few points."""

    name = "JAX by hand"

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.elementwise = case.n <= 8 and case.d <= 4
        self.unroll = 8 if self.elementwise else 1
        if case.m >= 10**4:
            self.runs = 4 if case.m < 10**6 else 1  # keeps what it works on in the cache

    def slope(self, z, value):
        import jax.numpy as jnp

        return (
            (z > 0).astype(z.dtype)
            if self.case.activation == "relu"
            else jnp.ones_like(z) - value * value
        )

    def step(self, state):
        return self._unrolled(state) if self.elementwise else self._einsum(state)

    def _unrolled(self, state):
        a, *w = state
        n, scale = self.case.n, self.scale
        push_a, push_w = 0.0, [0.0] * len(w)
        for i in range(n):
            z = sum(w[j] * self.x[i, j] for j in range(len(w)))
            value = self.activation(z)
            e = scale * (a * value).sum(axis=-1, keepdims=True) - self.y[i]
            push_a = push_a + e * value
            back = e * self.slope(z, value)
            for j in range(len(w)):
                push_w[j] = push_w[j] + back * self.x[i, j]
        factor = self.rate * np.asarray(scale / n, self.x.dtype)
        return (a - factor * push_a, *(v - factor * a * p for v, p in zip(w, push_w, strict=True)))

    def _einsum(self, state):
        import jax.numpy as jnp

        a, w = state  # (r, m), (r, d, m)
        z = jnp.einsum("nd,rdm->rnm", self.x, w)
        value = self.activation(z)
        e = self.scale * jnp.einsum("rnm,rm->rn", value, a) - self.y
        factor = self.rate * np.asarray(self.scale / self.case.n, self.x.dtype)
        back = e[:, :, None] * self.slope(z, value) * a[:, None, :]
        return (
            a - factor * jnp.einsum("rn,rnm->rm", e, value),
            w - factor * jnp.einsum("nd,rnm->rdm", self.x, back),
        )

    def run(self, steps: int) -> Parameters:
        a, w = self.starts()
        if self.elementwise:
            columns = self.advance((a, *(w[:, :, j] for j in range(self.case.d))), steps)
            return Parameters(
                np.asarray(columns[0][0]), np.stack([np.asarray(v[0]) for v in columns[1:]], axis=1)
            )
        a, w = self.advance((a, w.transpose(0, 2, 1)), steps)
        return Parameters(np.asarray(a[0]), np.asarray(w[0]).T)


class JaxGram(_Jax):
    """The Gram form in JAX: Z ← Z − (XXᵀ) Δ, with Δ accumulated to recover W."""

    name = "JAX Gram"
    unroll = 1
    slope = JaxByHand.slope

    def step(self, state):
        import jax.numpy as jnp

        a, z, total = state
        value = self.activation(z)
        e = self.scale * jnp.einsum("rnm,rm->rn", value, a) - self.y
        factor = self.rate * np.asarray(self.scale / self.case.n, self.x.dtype)
        back = factor * e[:, :, None] * self.slope(z, value) * a[:, None, :]
        move = jnp.einsum("ij,rjm->rim", self.x @ self.x.T, back)
        return a - factor * jnp.einsum("rn,rnm->rm", e, value), z - move, total + back

    def run(self, steps: int) -> Parameters:
        import jax.numpy as jnp

        a, w = self.starts()
        z = jnp.einsum("nd,rmd->rnm", self.x, w)
        a, _, total = self.advance((a, z, jnp.zeros_like(z)), steps)
        return Parameters(np.asarray(a[0]), np.asarray(w[0] - total[0].T @ self.x))
