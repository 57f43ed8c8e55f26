// Embeddings, norms, rotations and the rows and columns of linear maps.

// y_t = W[token_t]. Linear: values and tangents alike.
extern "C" __global__ void gather(integer rows, integer width, const unsigned* tokens, Lanes w, Lanes y) {
    EACH(i, rows * width) {
        Split at = split(i, width);
        y[i] = w[tokens[at.over] * width + at.rest];
    }
}

// to[token] += sum over the token's rows t of g_t ybar_t, g per group of columns; no g is 1.
template <class N>
__device__ void scatter(integer distinct, integer width, integer groups, const unsigned* tokens, const unsigned* starts,
                        const unsigned* order, Pair g, Pair y, Lanes to) {
    BLOCKS(b, distinct) WITHIN(c, width) {
        N sum = Number<N>::constant(0);
        for (unsigned o = starts[b]; o < starts[b + 1]; o++) {
            integer t = order[o];
            N x = Number<N>::at(y, t * width + c);
            if (g.value) x = Number<N>::at(g, t * groups + c / (width / groups)) * x;
            sum = sum + x;
        }
        to[tokens[b] * width + c] += part(sum);
    }
}
BOTH(scatter,
     (integer distinct, integer width, integer groups, const unsigned* tokens, const unsigned* starts,
      const unsigned* order, Pair g, Pair y, Lanes to),
     (distinct, width, groups, tokens, starts, order, g, y, to))

// y = gain x / sqrt(mean(x^2) + epsilon) over groups.
template <class N>
__device__ void rms_norm(integer groups, integer width, double gain, double epsilon, Pair x, Lanes y) {
    BLOCKS(g, groups) {
        N square = Number<N>::constant(0);
        WITHIN(i, width) {
            N a = Number<N>::at(x, g * width + i);
            square = square + a * a;
        }
        N r = inverse_root((real)epsilon + (real)(1.0 / width) * block_sum(square));
        WITHIN(i, width) y[g * width + i] = part((real)gain * (r * Number<N>::at(x, g * width + i)));
    }
}
BOTH(rms_norm, (integer groups, integer width, double gain, double epsilon, Pair x, Lanes y),
     (groups, width, gain, epsilon, x, y))

// xbar = gain r (ybar - x r^2 mean(x ybar)).
template <class N>
__device__ void rms_norm_back(integer groups, integer width, double gain, double epsilon, Pair x, Pair y, Slot to) {
    BLOCKS(g, groups) {
        N square = Number<N>::constant(0), along = square;
        WITHIN(i, width) {
            N a = Number<N>::at(x, g * width + i), b = Number<N>::at(y, g * width + i);
            square = square + a * a;
            along = along + a * b;
        }
        real share = (real)(1.0 / width);
        N r = inverse_root((real)epsilon + share * block_sum(square));
        N m = share * (r * r * block_sum(along));
        WITHIN(i, width) {
            N a = Number<N>::at(x, g * width + i), b = Number<N>::at(y, g * width + i);
            to.put(g * width + i, part((real)gain * (r * (b - a * m))));
        }
    }
}
BOTH(rms_norm_back, (integer groups, integer width, double gain, double epsilon, Pair x, Pair y, Slot to),
     (groups, width, gain, epsilon, x, y, to))

// Rotation of the pairs (x_j, x_{j+half}) of every head by sign times the angle of (t, j). Linear: values and tangents alike.
extern "C" __global__ void rotate(integer rows, integer length, integer row_width, integer head, double sign,
                                  const real* cosine, const real* sine, Lanes x, Slot to) {
    integer half = head / 2, pairs = row_width / 2;
    EACH(i, rows * pairs) {
        Split at = split(i, pairs), pair = split(at.rest, half);
        integer first = at.over * row_width + pair.over * head + pair.rest;
        integer angle = split(at.over, length).rest * half + pair.rest;
        real c = cosine[angle], s = (real)sign * sine[angle], x1 = x[first], x2 = x[first + half];
        to.put(first, x1 * c + x2 * s);
        to.put(first + half, x2 * c - x1 * s);
    }
}

// y[t] += b in every row, or += b[t % period] for a table of `period` rows. Linear: values and tangents alike.
extern "C" __global__ void add_rows(integer rows, integer period, integer width, Lanes b, Lanes y) {
    EACH(i, rows * width) {
        Split at = split(i, width);
        y[i] += b[split(at.over, period).rest * width + at.rest];
    }
}

// to[p] += the sum of every `period`th row of y, from row p on.
extern "C" __global__ void sum_rows(integer rows, integer period, integer width, Lanes y, Lanes to) {
    BLOCKS(b, period * width) {
        integer first = b / width, c = b % width;
        double sum = 0;
        for (integer t = first + period * threadIdx.x; t < rows; t += period * blockDim.x) sum += y[t * width + c];
        sum = block_sum(sum);
        if (threadIdx.x == 0) to[b] += (real)sum;
    }
}

/// Mean (0 where nothing is taken away) and inverse deviation of a row.
template <class N>
struct Norm {
    N mean, r;
};

template <class N>
__device__ Norm<N> norm_of(integer width, integer centred, double epsilon, Pair x, integer first) {
    real share = (real)(1.0 / width);
    N mean = Number<N>::constant(0), square = mean;
    if (centred) {
        WITHIN(i, width) mean = mean + Number<N>::at(x, first + i);
        mean = share * block_sum(mean);
    }
    WITHIN(i, width) {
        N a = Number<N>::at(x, first + i) - mean;
        square = square + a * a;
    }
    return {mean, inverse_root((real)epsilon + share * block_sum(square))};
}

// y = w (x - mean) r + b; no b is 0.
template <class N>
__device__ void scaled_norm(integer rows, integer width, integer centred, double epsilon, Pair x, Pair w, Pair b,
                            Lanes y) {
    BLOCKS(t, rows) {
        Norm<N> norm = norm_of<N>(width, centred, epsilon, x, t * width);
        WITHIN(i, width) {
            N a = Number<N>::at(w, i) * ((Number<N>::at(x, t * width + i) - norm.mean) * norm.r);
            if (b.value) a = a + Number<N>::at(b, i);
            y[t * width + i] = part(a);
        }
    }
}
BOTH(scaled_norm,
     (integer rows, integer width, integer centred, double epsilon, Pair x, Pair w, Pair b, Lanes y),
     (rows, width, centred, epsilon, x, w, b, y))

// xbar = r (g - mean(g) - xhat mean(g xhat)) with g = w ybar and the first mean where rows are centred; mean and r are left
// for the weights.
template <class N>
__device__ void scaled_norm_back(integer rows, integer width, integer centred, double epsilon, Pair x, Pair w, Pair y,
                                 Slot to, Pair mean, Pair r) {
    BLOCKS(t, rows) {
        Norm<N> norm = norm_of<N>(width, centred, epsilon, x, t * width);
        N sum = Number<N>::constant(0), along = sum;
        WITHIN(i, width) {
            N g = Number<N>::at(w, i) * Number<N>::at(y, t * width + i);
            sum = sum + g;
            along = along + g * ((Number<N>::at(x, t * width + i) - norm.mean) * norm.r);
        }
        real share = (real)(1.0 / width);
        N shift = centred ? share * block_sum(sum) : Number<N>::constant(0);
        N m = share * block_sum(along);
        WITHIN(i, width) {
            N g = Number<N>::at(w, i) * Number<N>::at(y, t * width + i);
            N hat = (Number<N>::at(x, t * width + i) - norm.mean) * norm.r;
            to.put(t * width + i, part(norm.r * (g - shift - hat * m)));
        }
        if (threadIdx.x == 0) {
            keep(mean, t, norm.mean);
            keep(r, t, norm.r);
        }
    }
}
BOTH(scaled_norm_back,
     (integer rows, integer width, integer centred, double epsilon, Pair x, Pair w, Pair y, Slot to, Pair mean, Pair r),
     (rows, width, centred, epsilon, x, w, y, to, mean, r))

// wbar = the sum over rows of ybar xhat.
template <class N>
__device__ void scaled_norm_weights(integer rows, integer width, Pair x, Pair y, Pair mean, Pair r, Slot to) {
    BLOCKS(i, width) {
        double sum = 0;
        WITHIN(t, rows) {
            N hat = (Number<N>::at(x, t * width + i) - Number<N>::at(mean, t)) * Number<N>::at(r, t);
            sum += part(Number<N>::at(y, t * width + i) * hat);
        }
        sum = block_sum(sum);
        if (threadIdx.x == 0) to.put(i, (real)sum);
    }
}
BOTH(scaled_norm_weights, (integer rows, integer width, Pair x, Pair y, Pair mean, Pair r, Slot to),
     (rows, width, x, y, mean, r, to))
