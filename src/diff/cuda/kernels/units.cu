// Non-linear units and gates.

template <class N>
__device__ inline N relu(N x) {
    return value_of(x) > 0 ? x : Number<N>::constant(0);
}

// y = max(x, 0)^2.
template <class N>
__device__ void relu2(integer count, Pair x, Lanes y) {
    EACH(i, count) {
        N a = relu(Number<N>::at(x, i));
        y[i] = part(a * a);
    }
}
BOTH(relu2, (integer count, Pair x, Lanes y), (count, x, y))

template <class N>
__device__ void relu2_back(integer count, Pair x, Pair y, Slot to) {
    EACH(i, count) to.put(i, part((real)2 * (relu(Number<N>::at(x, i)) * Number<N>::at(y, i))));
}
BOTH(relu2_back, (integer count, Pair x, Pair y, Slot to), (count, x, y, to))

// y = x sigmoid(slope x (1 + cubic x^2)): gelu in its tanh form.
template <class N>
__device__ void gelu(integer count, double slope, double cubic, Pair x, Lanes y) {
    EACH(i, count) {
        N a = Number<N>::at(x, i);
        y[i] = part(a * sigmoid_of((real)slope * (a * ((real)1 + (real)cubic * (a * a)))));
    }
}
BOTH(gelu, (integer count, double slope, double cubic, Pair x, Lanes y), (count, slope, cubic, x, y))

template <class N>
__device__ void gelu_back(integer count, double slope, double cubic, Pair x, Pair y, Slot to) {
    EACH(i, count) {
        N a = Number<N>::at(x, i), square = (real)cubic * (a * a);
        N g = sigmoid_of((real)slope * (a * ((real)1 + square)));
        N first = g + a * (g * ((real)1 - g)) * ((real)slope * ((real)1 + (real)3 * square));
        to.put(i, part(first * Number<N>::at(y, i)));
    }
}
BOTH(gelu_back, (integer count, double slope, double cubic, Pair x, Pair y, Slot to), (count, slope, cubic, x, y, to))

// y = g sigmoid(g) u.
template <class N>
__device__ void swiglu(integer count, Pair g, Pair u, Lanes y) {
    EACH(i, count) {
        N a = Number<N>::at(g, i);
        y[i] = part(a * sigmoid_of(a) * Number<N>::at(u, i));
    }
}
BOTH(swiglu, (integer count, Pair g, Pair u, Lanes y), (count, g, u, y))

template <class N>
__device__ void swiglu_back(integer count, Pair g, Pair u, Pair y, Slot to_g, Slot to_u) {
    EACH(i, count) {
        N a = Number<N>::at(g, i), s = sigmoid_of(a), ybar = Number<N>::at(y, i);
        to_g.put(i, part(ybar * Number<N>::at(u, i) * (s + a * (s * ((real)1 - s)))));
        to_u.put(i, part(ybar * (a * s)));
    }
}
BOTH(swiglu_back, (integer count, Pair g, Pair u, Pair y, Slot to_g, Slot to_u), (count, g, u, y, to_g, to_u))

// to[j, i] = sum over rows t of s[t, j] x[t, i] for i < leading: the weights of small gates.
template <class N>
__device__ void columns(integer rows, integer groups, integer leading, integer width, Pair s, Pair x, Slot to) {
    BLOCKS(b, groups * leading) {
        integer j = b / leading, i = b % leading;
        double sum = 0;
        WITHIN(t, rows) sum += part(Number<N>::at(s, t * groups + j) * Number<N>::at(x, t * width + i));
        sum = block_sum(sum);
        if (threadIdx.x == 0) to.put(b, (real)sum);
    }
}
BOTH(columns, (integer rows, integer groups, integer leading, integer width, Pair s, Pair x, Slot to),
     (rows, groups, leading, width, s, x, to))

/// w . x over the first `leading` elements.
template <class N>
__device__ N gate_sum(integer leading, Pair w, integer at_w, Pair x, integer at_x) {
    N sum = Number<N>::constant(0);
    WITHIN(i, leading) sum = sum + Number<N>::at(w, at_w + i) * Number<N>::at(x, at_x + i);
    return block_sum(sum);
}

// y_t = x_t + lambda sigmoid(w . x_t) x_{t-1}, except the first of each sequence.
template <class N>
__device__ void smear(integer rows, integer length, integer width, integer leading, Pair x, Pair w, Pair lambda,
                      Lanes y) {
    BLOCKS(t, rows) {
        if (t % length == 0) {
            WITHIN(i, width) y[t * width + i] = part(Number<N>::at(x, t * width + i));
        } else {
            N g = Number<N>::at(lambda, 0) * sigmoid_of(gate_sum<N>(leading, w, 0, x, t * width));
            WITHIN(i, width) y[t * width + i] = part(Number<N>::at(x, t * width + i) + g * Number<N>::at(x, (t - 1) * width + i));
        }
    }
}
BOTH(smear, (integer rows, integer length, integer width, integer leading, Pair x, Pair w, Pair lambda, Lanes y),
     (rows, length, width, leading, x, w, lambda, y))

// For every row the gate e, its adjoint over lambda (ybar . x_{t-1}) and that of its argument; 0 where a sequence begins.
template <class N>
__device__ void smear_gates(integer rows, integer length, integer width, integer leading, Pair x, Pair w, Pair lambda,
                            Pair y, Pair e, Pair g, Pair s) {
    BLOCKS(t, rows) {
        N gate = Number<N>::constant(0), gbar = gate, sbar = gate;
        if (t % length != 0) {
            gate = sigmoid_of(gate_sum<N>(leading, w, 0, x, t * width));
            WITHIN(i, width) gbar = gbar + Number<N>::at(y, t * width + i) * Number<N>::at(x, (t - 1) * width + i);
            gbar = block_sum(gbar);
            sbar = gbar * Number<N>::at(lambda, 0) * (gate * ((real)1 - gate));
        }
        if (threadIdx.x == 0) {
            keep(e, t, gate);
            keep(g, t, gbar);
            keep(s, t, sbar);
        }
    }
}
BOTH(smear_gates,
     (integer rows, integer length, integer width, integer leading, Pair x, Pair w, Pair lambda, Pair y, Pair e, Pair g,
      Pair s),
     (rows, length, width, leading, x, w, lambda, y, e, g, s))

template <class N>
__device__ void smear_back(integer rows, integer length, integer width, integer leading, Pair w, Pair lambda, Pair y,
                           Pair e, Pair s, Slot to) {
    EACH(i, rows * width) {
        Split at = split(i, width);
        integer t = at.over, c = at.rest;
        N x = Number<N>::at(y, i);
        if (split(t, length).rest != length - 1)
            x = x + Number<N>::at(lambda, 0) * Number<N>::at(e, t + 1) * Number<N>::at(y, i + width);
        if (c < leading) x = x + Number<N>::at(s, t) * Number<N>::at(w, c);
        to.put(i, part(x));
    }
}
BOTH(smear_back,
     (integer rows, integer length, integer width, integer leading, Pair w, Pair lambda, Pair y, Pair e, Pair s, Slot to),
     (rows, length, width, leading, w, lambda, y, e, s, to))

// y = v + range sigmoid(w_j . u) E[token] for every head j.
template <class N>
__device__ void value_gate(integer rows, integer heads, integer head, integer width, integer leading, double range,
                           const unsigned* tokens, Pair v, Pair u, Pair w, Pair table, Lanes y) {
    BLOCKS(b, rows * heads) {
        integer t = b / heads, j = b % heads;
        N g = (real)range * sigmoid_of(gate_sum<N>(leading, w, j * leading, u, t * width));
        WITHIN(c, head) {
            integer e = (tokens[t] * heads + j) * head + c;
            y[b * head + c] = part(Number<N>::at(v, b * head + c) + g * Number<N>::at(table, e));
        }
    }
}
BOTH(value_gate,
     (integer rows, integer heads, integer head, integer width, integer leading, double range, const unsigned* tokens,
      Pair v, Pair u, Pair w, Pair table, Lanes y),
     (rows, heads, head, width, leading, range, tokens, v, u, w, table, y))

// For every row and head the gate g and the adjoint of its argument.
template <class N>
__device__ void value_gates(integer rows, integer heads, integer head, integer width, integer leading, double range,
                            const unsigned* tokens, Pair u, Pair w, Pair table, Pair y, Pair g, Pair s) {
    BLOCKS(b, rows * heads) {
        integer t = b / heads, j = b % heads;
        N gate = sigmoid_of(gate_sum<N>(leading, w, j * leading, u, t * width));
        N gbar = Number<N>::constant(0);
        WITHIN(c, head) {
            integer e = (tokens[t] * heads + j) * head + c;
            gbar = gbar + Number<N>::at(y, b * head + c) * Number<N>::at(table, e);
        }
        gbar = (real)range * block_sum(gbar);
        if (threadIdx.x == 0) {
            keep(g, b, (real)range * gate);
            keep(s, b, gbar * (gate * ((real)1 - gate)));
        }
    }
}
BOTH(value_gates,
     (integer rows, integer heads, integer head, integer width, integer leading, double range, const unsigned* tokens,
      Pair u, Pair w, Pair table, Pair y, Pair g, Pair s),
     (rows, heads, head, width, leading, range, tokens, u, w, table, y, g, s))

// ubar[t, i] = sum over heads of s[t, j] w[j, i] for i < leading, else 0.
template <class N>
__device__ void value_gate_back(integer rows, integer heads, integer width, integer leading, Pair w, Pair s, Slot to) {
    EACH(i, rows * width) {
        Split at = split(i, width);
        integer t = at.over, c = at.rest;
        N sum = Number<N>::constant(0);
        if (c < leading)
            for (integer j = 0; j < heads; j++)
                sum = sum + Number<N>::at(s, t * heads + j) * Number<N>::at(w, j * leading + c);
        to.put(i, part(sum));
    }
}
BOTH(value_gate_back, (integer rows, integer heads, integer width, integer leading, Pair w, Pair s, Slot to),
     (rows, heads, width, leading, w, s, to))
