// The rules of the primitives on the GPU, for NVRTC. REAL is float or double.
//
// Each rule is written once, for numbers of type N: with N = real it gives values (or adjoints), with N = Dual it gives
// their derivatives along a direction, by the algebra of dual numbers. So a tangent cannot disagree with its value, nor an
// adjoint tangent with its adjoint. All sums run in an order that depends on shapes alone.
//
// Arrays are row-major, one row a token; a `write` of 0 sets, of 1 adds. Kernels stride over their work, so any grid and
// any block give the same result.

typedef REAL real;
typedef long long integer;

struct Dual {
    real v, d;
};

__device__ inline Dual operator+(Dual a, Dual b) { return {a.v + b.v, a.d + b.d}; }
__device__ inline Dual operator-(Dual a, Dual b) { return {a.v - b.v, a.d - b.d}; }
__device__ inline Dual operator*(Dual a, Dual b) { return {a.v * b.v, a.d * b.v + a.v * b.d}; }
__device__ inline Dual operator*(real a, Dual b) { return {a * b.v, a * b.d}; }
__device__ inline Dual operator+(real a, Dual b) { return {a + b.v, b.d}; }
__device__ inline Dual operator-(real a, Dual b) { return {a - b.v, -b.d}; }

__device__ inline real exp_of(real x) { return exp(x); }
__device__ inline Dual exp_of(Dual x) {
    real e = exp(x.v);
    return {e, e * x.d};
}
__device__ inline real tanh_of(real x) { return tanh(x); }
__device__ inline Dual tanh_of(Dual x) {
    real u = tanh(x.v);
    return {u, (1 - u * u) * x.d};
}
__device__ inline real sigmoid_of(real x) { return 1 / (1 + exp(-x)); }
__device__ inline Dual sigmoid_of(Dual x) {
    real e = sigmoid_of(x.v);
    return {e, e * (1 - e) * x.d};
}
__device__ inline real inverse(real x) { return 1 / x; }
__device__ inline Dual inverse(Dual x) {
    real y = 1 / x.v;
    return {y, -y * y * x.d};
}
__device__ inline real inverse_root(real x) { return 1 / sqrt(x); }
__device__ inline Dual inverse_root(Dual x) {
    real y = 1 / sqrt(x.v);
    return {y, (real)-0.5 * y / x.v * x.d};
}
__device__ inline real value_of(real x) { return x; }
__device__ inline real value_of(Dual x) { return x.v; }

/// What a sweep writes: values, or derivatives.
__device__ inline real part(real x) { return x; }
__device__ inline real part(Dual x) { return x.d; }

template <class N>
struct Number;
template <>
struct Number<real> {
    static __device__ inline real at(const real* x, const real*, integer i) { return x[i]; }
    static __device__ inline real constant(real x) { return x; }
    static __device__ inline double product(real x, real y) { return (double)x * y; }
};
template <>
struct Number<Dual> {
    /// A null tangent is that of a constant.
    static __device__ inline Dual at(const real* x, const real* dx, integer i) { return {x[i], dx ? dx[i] : 0}; }
    static __device__ inline Dual constant(real x) { return {x, 0}; }
    static __device__ inline double product(Dual x, Dual y) { return (double)x.v * y.d + (double)x.d * y.v; }
};

template <class N>
__device__ inline void put(real* to, integer write, integer i, N x) {
    to[i] = write ? to[i] + part(x) : part(x);
}

/// Both parts of a number, for rules that need them later.
__device__ inline void keep(real* v, real*, integer i, real x) { v[i] = x; }
__device__ inline void keep(real* v, real* d, integer i, Dual x) {
    v[i] = x.v;
    d[i] = x.d;
}

#define THREADS 128
#define LOWEST ((real)-1e30)
#define EACH(i, count) for (integer i = blockIdx.x * (integer)blockDim.x + threadIdx.x; i < (count); i += gridDim.x * (integer)blockDim.x)
#define BLOCKS(b, count) for (integer b = blockIdx.x; b < (count); b += gridDim.x)
#define WITHIN(i, count) for (integer i = threadIdx.x; i < (count); i += blockDim.x)

/// The sum over the threads of a block, known to all of them.
template <class N>
__device__ N block_sum(N x) {
    __shared__ N lanes[THREADS];
    __syncthreads();
    lanes[threadIdx.x] = x;
    for (int width = blockDim.x / 2; width > 0; width /= 2) {
        __syncthreads();
        if (threadIdx.x < width) lanes[threadIdx.x] = lanes[threadIdx.x] + lanes[threadIdx.x + width];
    }
    __syncthreads();
    return lanes[0];
}

__device__ inline real block_max(real x) {
    __shared__ real lanes[THREADS];
    __syncthreads();
    lanes[threadIdx.x] = x;
    for (int width = blockDim.x / 2; width > 0; width /= 2) {
        __syncthreads();
        if (threadIdx.x < width) lanes[threadIdx.x] = fmax(lanes[threadIdx.x], lanes[threadIdx.x + width]);
    }
    __syncthreads();
    return lanes[0];
}

// A kernel takes pointers, integers and doubles only. BOTH makes one for values and one for derivatives.
#define BOTH(name, parameters, arguments)                                                \
    extern "C" __global__ void name##_value parameters { name<real> arguments; }        \
    extern "C" __global__ void name##_tangent parameters { name<Dual> arguments; }

// y_t = W[token_t].
template <class N>
__device__ void gather(integer rows, integer width, const unsigned* tokens, const real* w, const real* dw, real* y) {
    EACH(i, rows * width) y[i] = part(Number<N>::at(w, dw, tokens[i / width] * width + i % width));
}
BOTH(gather, (integer rows, integer width, const unsigned* tokens, const real* w, const real* dw, real* y),
     (rows, width, tokens, w, dw, y))

// to[token] += sum over the token's rows t of g_t ybar_t, g per group of columns; a null g is 1.
template <class N>
__device__ void scatter(integer distinct, integer width, integer groups, const unsigned* tokens, const unsigned* starts,
                        const unsigned* order, const real* g, const real* dg, const real* y, const real* dy, real* to) {
    BLOCKS(b, distinct) WITHIN(c, width) {
        N sum = Number<N>::constant(0);
        for (unsigned o = starts[b]; o < starts[b + 1]; o++) {
            integer t = order[o];
            N x = Number<N>::at(y, dy, t * width + c);
            if (g) x = Number<N>::at(g, dg, t * groups + c / (width / groups)) * x;
            sum = sum + x;
        }
        to[tokens[b] * width + c] += part(sum);
    }
}
BOTH(scatter,
     (integer distinct, integer width, integer groups, const unsigned* tokens, const unsigned* starts,
      const unsigned* order, const real* g, const real* dg, const real* y, const real* dy, real* to),
     (distinct, width, groups, tokens, starts, order, g, dg, y, dy, to))

// y = gain x / sqrt(mean(x^2) + epsilon) over groups.
template <class N>
__device__ void rms_norm(integer groups, integer width, double gain, double epsilon, const real* x, const real* dx,
                         real* y) {
    BLOCKS(g, groups) {
        N square = Number<N>::constant(0);
        WITHIN(i, width) {
            N a = Number<N>::at(x, dx, g * width + i);
            square = square + a * a;
        }
        N r = inverse_root((real)epsilon + (real)(1.0 / width) * block_sum(square));
        WITHIN(i, width) y[g * width + i] = part((real)gain * (r * Number<N>::at(x, dx, g * width + i)));
    }
}
BOTH(rms_norm, (integer groups, integer width, double gain, double epsilon, const real* x, const real* dx, real* y),
     (groups, width, gain, epsilon, x, dx, y))

// xbar = gain r (ybar - x r^2 mean(x ybar)).
template <class N>
__device__ void rms_norm_back(integer groups, integer width, double gain, double epsilon, const real* x, const real* dx,
                              const real* y, const real* dy, integer write, real* to) {
    BLOCKS(g, groups) {
        N square = Number<N>::constant(0), along = square;
        WITHIN(i, width) {
            N a = Number<N>::at(x, dx, g * width + i), b = Number<N>::at(y, dy, g * width + i);
            square = square + a * a;
            along = along + a * b;
        }
        real share = (real)(1.0 / width);
        N r = inverse_root((real)epsilon + share * block_sum(square));
        N m = share * (r * r * block_sum(along));
        WITHIN(i, width) {
            N a = Number<N>::at(x, dx, g * width + i), b = Number<N>::at(y, dy, g * width + i);
            put(to, write, g * width + i, (real)gain * (r * (b - a * m)));
        }
    }
}
BOTH(rms_norm_back,
     (integer groups, integer width, double gain, double epsilon, const real* x, const real* dx, const real* y,
      const real* dy, integer write, real* to),
     (groups, width, gain, epsilon, x, dx, y, dy, write, to))

// Rotation of the pairs (x_j, x_{j+half}) of every head by sign times the angle of (t, j). Linear: values and tangents alike.
extern "C" __global__ void rotate(integer rows, integer length, integer row_width, integer head, double sign,
                                  const real* cosine, const real* sine, const real* x, integer write, real* to) {
    integer half = head / 2, pairs = row_width / 2;
    EACH(i, rows * pairs) {
        integer row = i / pairs, j = i % half, first = row * row_width + (i % pairs) / half * head + j;
        integer angle = row % length * half + j;
        real c = cosine[angle], s = (real)sign * sine[angle], x1 = x[first], x2 = x[first + half];
        real y1 = x1 * c + x2 * s, y2 = x2 * c - x1 * s;
        to[first] = write ? to[first] + y1 : y1;
        to[first + half] = write ? to[first + half] + y2 : y2;
    }
}

template <class N>
__device__ inline N relu(N x) {
    return value_of(x) > 0 ? x : Number<N>::constant(0);
}

// y = max(x, 0)^2.
template <class N>
__device__ void relu2(integer count, const real* x, const real* dx, real* y) {
    EACH(i, count) {
        N a = relu(Number<N>::at(x, dx, i));
        y[i] = part(a * a);
    }
}
BOTH(relu2, (integer count, const real* x, const real* dx, real* y), (count, x, dx, y))

template <class N>
__device__ void relu2_back(integer count, const real* x, const real* dx, const real* y, const real* dy, integer write,
                           real* to) {
    EACH(i, count) put(to, write, i, (real)2 * (relu(Number<N>::at(x, dx, i)) * Number<N>::at(y, dy, i)));
}
BOTH(relu2_back,
     (integer count, const real* x, const real* dx, const real* y, const real* dy, integer write, real* to),
     (count, x, dx, y, dy, write, to))

// y = x sigmoid(slope x (1 + cubic x^2)): gelu in its tanh form.
template <class N>
__device__ void gelu(integer count, double slope, double cubic, const real* x, const real* dx, real* y) {
    EACH(i, count) {
        N a = Number<N>::at(x, dx, i);
        y[i] = part(a * sigmoid_of((real)slope * (a * ((real)1 + (real)cubic * (a * a)))));
    }
}
BOTH(gelu, (integer count, double slope, double cubic, const real* x, const real* dx, real* y),
     (count, slope, cubic, x, dx, y))

template <class N>
__device__ void gelu_back(integer count, double slope, double cubic, const real* x, const real* dx, const real* y,
                          const real* dy, integer write, real* to) {
    EACH(i, count) {
        N a = Number<N>::at(x, dx, i), square = (real)cubic * (a * a);
        N g = sigmoid_of((real)slope * (a * ((real)1 + square)));
        N first = g + a * (g * ((real)1 - g)) * ((real)slope * ((real)1 + (real)3 * square));
        put(to, write, i, first * Number<N>::at(y, dy, i));
    }
}
BOTH(gelu_back,
     (integer count, double slope, double cubic, const real* x, const real* dx, const real* y, const real* dy,
      integer write, real* to),
     (count, slope, cubic, x, dx, y, dy, write, to))

// y = g sigmoid(g) u.
template <class N>
__device__ void swiglu(integer count, const real* g, const real* dg, const real* u, const real* du, real* y) {
    EACH(i, count) {
        N a = Number<N>::at(g, dg, i);
        y[i] = part(a * sigmoid_of(a) * Number<N>::at(u, du, i));
    }
}
BOTH(swiglu, (integer count, const real* g, const real* dg, const real* u, const real* du, real* y),
     (count, g, dg, u, du, y))

template <class N>
__device__ void swiglu_back(integer count, const real* g, const real* dg, const real* u, const real* du, const real* y,
                            const real* dy, integer write_g, real* to_g, integer write_u, real* to_u) {
    EACH(i, count) {
        N a = Number<N>::at(g, dg, i), s = sigmoid_of(a), ybar = Number<N>::at(y, dy, i);
        put(to_g, write_g, i, ybar * Number<N>::at(u, du, i) * (s + a * (s * ((real)1 - s))));
        put(to_u, write_u, i, ybar * (a * s));
    }
}
BOTH(swiglu_back,
     (integer count, const real* g, const real* dg, const real* u, const real* du, const real* y, const real* dy,
      integer write_g, real* to_g, integer write_u, real* to_u),
     (count, g, dg, u, du, y, dy, write_g, to_g, write_u, to_u))

// y[t] += b in every row, or += b[t % period] for a table of `period` rows. Linear: values and tangents alike.
extern "C" __global__ void add_rows(integer rows, integer period, integer width, const real* b, real* y) {
    EACH(i, rows * width) y[i] += b[i / width % period * width + i % width];
}

// to[p] += the sum of every `period`th row of y, from row p on.
extern "C" __global__ void sum_rows(integer rows, integer period, integer width, const real* y, real* to) {
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
__device__ Norm<N> norm_of(integer width, integer centred, double epsilon, const real* x, const real* dx, integer first) {
    real share = (real)(1.0 / width);
    N mean = Number<N>::constant(0), square = mean;
    if (centred) {
        WITHIN(i, width) mean = mean + Number<N>::at(x, dx, first + i);
        mean = share * block_sum(mean);
    }
    WITHIN(i, width) {
        N a = Number<N>::at(x, dx, first + i) - mean;
        square = square + a * a;
    }
    return {mean, inverse_root((real)epsilon + share * block_sum(square))};
}

// y = w (x - mean) r + b; a null b is 0.
template <class N>
__device__ void scaled_norm(integer rows, integer width, integer centred, double epsilon, const real* x, const real* dx,
                            const real* w, const real* dw, const real* b, const real* db, real* y) {
    BLOCKS(t, rows) {
        Norm<N> norm = norm_of<N>(width, centred, epsilon, x, dx, t * width);
        WITHIN(i, width) {
            N a = Number<N>::at(w, dw, i) * ((Number<N>::at(x, dx, t * width + i) - norm.mean) * norm.r);
            if (b) a = a + Number<N>::at(b, db, i);
            y[t * width + i] = part(a);
        }
    }
}
BOTH(scaled_norm,
     (integer rows, integer width, integer centred, double epsilon, const real* x, const real* dx, const real* w,
      const real* dw, const real* b, const real* db, real* y),
     (rows, width, centred, epsilon, x, dx, w, dw, b, db, y))

// xbar = r (g - mean(g) - xhat mean(g xhat)) with g = w ybar and the first mean where rows are centred; mean and r are left
// for the weights.
template <class N>
__device__ void scaled_norm_back(integer rows, integer width, integer centred, double epsilon, const real* x,
                                 const real* dx, const real* w, const real* dw, const real* y, const real* dy,
                                 integer write, real* to, real* mean, real* dmean, real* r, real* dr) {
    BLOCKS(t, rows) {
        Norm<N> norm = norm_of<N>(width, centred, epsilon, x, dx, t * width);
        N sum = Number<N>::constant(0), along = sum;
        WITHIN(i, width) {
            N g = Number<N>::at(w, dw, i) * Number<N>::at(y, dy, t * width + i);
            sum = sum + g;
            along = along + g * ((Number<N>::at(x, dx, t * width + i) - norm.mean) * norm.r);
        }
        real share = (real)(1.0 / width);
        N shift = centred ? share * block_sum(sum) : Number<N>::constant(0);
        N m = share * block_sum(along);
        WITHIN(i, width) {
            N g = Number<N>::at(w, dw, i) * Number<N>::at(y, dy, t * width + i);
            N hat = (Number<N>::at(x, dx, t * width + i) - norm.mean) * norm.r;
            put(to, write, t * width + i, norm.r * (g - shift - hat * m));
        }
        if (threadIdx.x == 0) {
            keep(mean, dmean, t, norm.mean);
            keep(r, dr, t, norm.r);
        }
    }
}
BOTH(scaled_norm_back,
     (integer rows, integer width, integer centred, double epsilon, const real* x, const real* dx, const real* w,
      const real* dw, const real* y, const real* dy, integer write, real* to, real* mean, real* dmean, real* r, real* dr),
     (rows, width, centred, epsilon, x, dx, w, dw, y, dy, write, to, mean, dmean, r, dr))

// wbar = the sum over rows of ybar xhat.
template <class N>
__device__ void scaled_norm_weights(integer rows, integer width, const real* x, const real* dx, const real* y,
                                    const real* dy, const real* mean, const real* dmean, const real* r, const real* dr,
                                    integer write, real* to) {
    BLOCKS(i, width) {
        double sum = 0;
        WITHIN(t, rows) {
            N hat = (Number<N>::at(x, dx, t * width + i) - Number<N>::at(mean, dmean, t)) * Number<N>::at(r, dr, t);
            sum += part(Number<N>::at(y, dy, t * width + i) * hat);
        }
        sum = block_sum(sum);
        if (threadIdx.x == 0) to[i] = write ? to[i] + (real)sum : (real)sum;
    }
}
BOTH(scaled_norm_weights,
     (integer rows, integer width, const real* x, const real* dx, const real* y, const real* dy, const real* mean,
      const real* dmean, const real* r, const real* dr, integer write, real* to),
     (rows, width, x, dx, y, dy, mean, dmean, r, dr, write, to))

// to = sign s[index] x; a null s is 1.
template <class N>
__device__ void scaled(integer count, double sign, const real* s, const real* ds, integer index, const real* x,
                       const real* dx, integer write, real* to) {
    N factor = s ? (real)sign * Number<N>::at(s, ds, index) : Number<N>::constant((real)sign);
    EACH(i, count) put(to, write, i, factor * Number<N>::at(x, dx, i));
}
BOTH(scaled,
     (integer count, double sign, const real* s, const real* ds, integer index, const real* x, const real* dx,
      integer write, real* to),
     (count, sign, s, ds, index, x, dx, write, to))

// The parts of x . y that each block adds up; `total` finishes: to[index] += sign times their sum.
template <class N>
__device__ void partial_dot(integer count, const real* x, const real* dx, const real* y, const real* dy,
                            double* partials) {
    double sum = 0;
    EACH(i, count) sum += Number<N>::product(Number<N>::at(x, dx, i), Number<N>::at(y, dy, i));
    sum = block_sum(sum);
    if (threadIdx.x == 0) partials[blockIdx.x] = sum;
}
BOTH(partial_dot, (integer count, const real* x, const real* dx, const real* y, const real* dy, double* partials),
     (count, x, dx, y, dy, partials))

// x = factor x.
extern "C" __global__ void multiply(integer count, double factor, real* x) {
    EACH(i, count) x[i] = (real)(factor * x[i]);
}

extern "C" __global__ void total(integer count, double sign, const double* partials, integer index, real* to) {
    double sum = 0;
    WITHIN(i, count) sum += partials[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0) to[index] += (real)(sign * sum);
}

// to[j, i] = sum over rows t of s[t, j] x[t, i] for i < leading: the weights of small gates.
template <class N>
__device__ void columns(integer rows, integer groups, integer leading, integer width, const real* s, const real* ds,
                        const real* x, const real* dx, integer write, real* to) {
    BLOCKS(b, groups * leading) {
        integer j = b / leading, i = b % leading;
        double sum = 0;
        WITHIN(t, rows) sum += part(Number<N>::at(s, ds, t * groups + j) * Number<N>::at(x, dx, t * width + i));
        sum = block_sum(sum);
        if (threadIdx.x == 0) to[b] = write ? to[b] + (real)sum : (real)sum;
    }
}
BOTH(columns,
     (integer rows, integer groups, integer leading, integer width, const real* s, const real* ds, const real* x,
      const real* dx, integer write, real* to),
     (rows, groups, leading, width, s, ds, x, dx, write, to))

/// w . x over the first `leading` elements.
template <class N>
__device__ N gate_sum(integer leading, const real* w, const real* dw, integer at_w, const real* x, const real* dx,
                      integer at_x) {
    N sum = Number<N>::constant(0);
    WITHIN(i, leading) sum = sum + Number<N>::at(w, dw, at_w + i) * Number<N>::at(x, dx, at_x + i);
    return block_sum(sum);
}

// y_t = x_t + lambda sigmoid(w . x_t) x_{t-1}, except the first of each sequence.
template <class N>
__device__ void smear(integer rows, integer length, integer width, integer leading, const real* x, const real* dx,
                      const real* w, const real* dw, const real* lambda, const real* dlambda, real* y) {
    BLOCKS(t, rows) {
        if (t % length == 0) {
            WITHIN(i, width) y[t * width + i] = part(Number<N>::at(x, dx, t * width + i));
        } else {
            N g = Number<N>::at(lambda, dlambda, 0) * sigmoid_of(gate_sum<N>(leading, w, dw, 0, x, dx, t * width));
            WITHIN(i, width) y[t * width + i] = part(Number<N>::at(x, dx, t * width + i) + g * Number<N>::at(x, dx, (t - 1) * width + i));
        }
    }
}
BOTH(smear,
     (integer rows, integer length, integer width, integer leading, const real* x, const real* dx, const real* w,
      const real* dw, const real* lambda, const real* dlambda, real* y),
     (rows, length, width, leading, x, dx, w, dw, lambda, dlambda, y))

// For every row the gate e, its adjoint over lambda (ybar . x_{t-1}) and that of its argument; 0 where a sequence begins.
template <class N>
__device__ void smear_gates(integer rows, integer length, integer width, integer leading, const real* x, const real* dx,
                            const real* w, const real* dw, const real* lambda, const real* dlambda, const real* y,
                            const real* dy, real* e, real* de, real* g, real* dg, real* s, real* ds) {
    BLOCKS(t, rows) {
        N gate = Number<N>::constant(0), gbar = gate, sbar = gate;
        if (t % length != 0) {
            gate = sigmoid_of(gate_sum<N>(leading, w, dw, 0, x, dx, t * width));
            WITHIN(i, width) gbar = gbar + Number<N>::at(y, dy, t * width + i) * Number<N>::at(x, dx, (t - 1) * width + i);
            gbar = block_sum(gbar);
            sbar = gbar * Number<N>::at(lambda, dlambda, 0) * (gate * ((real)1 - gate));
        }
        if (threadIdx.x == 0) {
            keep(e, de, t, gate);
            keep(g, dg, t, gbar);
            keep(s, ds, t, sbar);
        }
    }
}
BOTH(smear_gates,
     (integer rows, integer length, integer width, integer leading, const real* x, const real* dx, const real* w,
      const real* dw, const real* lambda, const real* dlambda, const real* y, const real* dy, real* e, real* de, real* g,
      real* dg, real* s, real* ds),
     (rows, length, width, leading, x, dx, w, dw, lambda, dlambda, y, dy, e, de, g, dg, s, ds))

template <class N>
__device__ void smear_back(integer rows, integer length, integer width, integer leading, const real* w, const real* dw,
                           const real* lambda, const real* dlambda, const real* y, const real* dy, const real* e,
                           const real* de, const real* s, const real* ds, integer write, real* to) {
    EACH(i, rows * width) {
        integer t = i / width, c = i % width;
        N x = Number<N>::at(y, dy, i);
        if (t % length != length - 1)
            x = x + Number<N>::at(lambda, dlambda, 0) * Number<N>::at(e, de, t + 1) * Number<N>::at(y, dy, i + width);
        if (c < leading) x = x + Number<N>::at(s, ds, t) * Number<N>::at(w, dw, c);
        put(to, write, i, x);
    }
}
BOTH(smear_back,
     (integer rows, integer length, integer width, integer leading, const real* w, const real* dw, const real* lambda,
      const real* dlambda, const real* y, const real* dy, const real* e, const real* de, const real* s, const real* ds,
      integer write, real* to),
     (rows, length, width, leading, w, dw, lambda, dlambda, y, dy, e, de, s, ds, write, to))

// y = v + range sigmoid(w_j . u) E[token] for every head j.
template <class N>
__device__ void value_gate(integer rows, integer heads, integer head, integer width, integer leading, double range,
                           const unsigned* tokens, const real* v, const real* dv, const real* u, const real* du,
                           const real* w, const real* dw, const real* table, const real* dtable, real* y) {
    BLOCKS(b, rows * heads) {
        integer t = b / heads, j = b % heads;
        N g = (real)range * sigmoid_of(gate_sum<N>(leading, w, dw, j * leading, u, du, t * width));
        WITHIN(c, head) {
            integer e = (tokens[t] * heads + j) * head + c;
            y[b * head + c] = part(Number<N>::at(v, dv, b * head + c) + g * Number<N>::at(table, dtable, e));
        }
    }
}
BOTH(value_gate,
     (integer rows, integer heads, integer head, integer width, integer leading, double range, const unsigned* tokens,
      const real* v, const real* dv, const real* u, const real* du, const real* w, const real* dw, const real* table,
      const real* dtable, real* y),
     (rows, heads, head, width, leading, range, tokens, v, dv, u, du, w, dw, table, dtable, y))

// For every row and head the gate g and the adjoint of its argument.
template <class N>
__device__ void value_gates(integer rows, integer heads, integer head, integer width, integer leading, double range,
                            const unsigned* tokens, const real* u, const real* du, const real* w, const real* dw,
                            const real* table, const real* dtable, const real* y, const real* dy, real* g, real* dg,
                            real* s, real* ds) {
    BLOCKS(b, rows * heads) {
        integer t = b / heads, j = b % heads;
        N gate = sigmoid_of(gate_sum<N>(leading, w, dw, j * leading, u, du, t * width));
        N gbar = Number<N>::constant(0);
        WITHIN(c, head) {
            integer e = (tokens[t] * heads + j) * head + c;
            gbar = gbar + Number<N>::at(y, dy, b * head + c) * Number<N>::at(table, dtable, e);
        }
        gbar = (real)range * block_sum(gbar);
        if (threadIdx.x == 0) {
            keep(g, dg, b, (real)range * gate);
            keep(s, ds, b, gbar * (gate * ((real)1 - gate)));
        }
    }
}
BOTH(value_gates,
     (integer rows, integer heads, integer head, integer width, integer leading, double range, const unsigned* tokens,
      const real* u, const real* du, const real* w, const real* dw, const real* table, const real* dtable,
      const real* y, const real* dy, real* g, real* dg, real* s, real* ds),
     (rows, heads, head, width, leading, range, tokens, u, du, w, dw, table, dtable, y, dy, g, dg, s, ds))

// ubar[t, i] = sum over heads of s[t, j] w[j, i] for i < leading, else 0.
template <class N>
__device__ void value_gate_back(integer rows, integer heads, integer width, integer leading, const real* w,
                                const real* dw, const real* s, const real* ds, integer write, real* to) {
    EACH(i, rows * width) {
        integer t = i / width, c = i % width;
        N sum = Number<N>::constant(0);
        if (c < leading)
            for (integer j = 0; j < heads; j++)
                sum = sum + Number<N>::at(s, ds, t * heads + j) * Number<N>::at(w, dw, j * leading + c);
        put(to, write, i, sum);
    }
}
BOTH(value_gate_back,
     (integer rows, integer heads, integer width, integer leading, const real* w, const real* dw, const real* s,
      const real* ds, integer write, real* to),
     (rows, heads, width, leading, w, dw, s, ds, write, to))

// Softmax of every row of scores over the keys its query sees, 0 elsewhere, in place.
extern "C" __global__ void softmax(integer rows, integer length, integer window, real* p) {
    BLOCKS(r, rows) {
        integer t = r % length, first = t > window ? t - window : 0;
        real* row = p + r * length;
        real top = LOWEST;
        for (integer s = first + threadIdx.x; s <= t; s += blockDim.x) top = fmax(top, row[s]);
        top = block_max(top);
        real sum = 0;
        for (integer s = first + threadIdx.x; s <= t; s += blockDim.x) sum += exp(row[s] - top);
        real scale = 1 / block_sum(sum);
        WITHIN(s, length) row[s] = s < first || s > t ? 0 : exp(row[s] - top) * scale;
    }
}

// P' = P (S' - sum P S') in place of S'.
extern "C" __global__ void softmax_tangent(integer rows, integer length, const real* p, real* dp) {
    BLOCKS(r, rows) {
        real sum = 0;
        WITHIN(s, length) sum += p[r * length + s] * dp[r * length + s];
        real mean = block_sum(sum);
        WITHIN(s, length) dp[r * length + s] = p[r * length + s] * (dp[r * length + s] - mean);
    }
}

// Sbar = P (Pbar - sum P Pbar).
template <class N>
__device__ void softmax_back(integer rows, integer length, const real* p, const real* dp, const real* pbar,
                             const real* dpbar, real* sbar, real* dsbar) {
    BLOCKS(r, rows) {
        N mean = Number<N>::constant(0);
        WITHIN(s, length) mean = mean + Number<N>::at(p, dp, r * length + s) * Number<N>::at(pbar, dpbar, r * length + s);
        mean = block_sum(mean);
        WITHIN(s, length) {
            integer i = r * length + s;
            keep(sbar, dsbar, i, Number<N>::at(p, dp, i) * (Number<N>::at(pbar, dpbar, i) - mean));
        }
    }
}
BOTH(softmax_back,
     (integer rows, integer length, const real* p, const real* dp, const real* pbar, const real* dpbar, real* sbar,
      real* dsbar),
     (rows, length, p, dp, pbar, dpbar, sbar, dsbar))

/// cap tanh(z/cap); no cap where cap is 0.
template <class N>
__device__ inline N capped(real cap, N z) {
    return cap > 0 ? cap * tanh_of((1 / cap) * z) : z;
}
/// Its derivative by z.
template <class N>
__device__ inline N capped_slope(real cap, N z) {
    if (!(cap > 0)) return Number<N>::constant(1);
    N u = tanh_of((1 / cap) * z);
    return (real)1 - u * u;
}

/// log sum - (logit - top), or its derivative.
__device__ inline double loss_of(real sum, real logit, real top) { return log((double)sum) - ((double)logit - top); }
__device__ inline double loss_of(Dual sum, Dual logit, real) { return (double)sum.d / sum.v - logit.d; }

// One row of logits z a block: its loss -log softmax(capped z)[target] (or that loss's derivative), and where ybar is
// given the loss's adjoint in z, times share: (p - onehot) capped'(z). dybar may be dz.
template <class N>
__device__ void head(integer rows, integer vocabulary, double cap, double share, const unsigned* targets, const real* z,
                     const real* dz, double* losses, real* ybar, real* dybar) {
    real c = (real)cap;
    BLOCKS(r, rows) {
        integer first = r * vocabulary, target = targets[r];
        real top = LOWEST;
        WITHIN(i, vocabulary) top = fmax(top, value_of(capped(c, z[first + i])));
        top = block_max(top);
        N sum = Number<N>::constant(0);
        WITHIN(i, vocabulary) sum = sum + exp_of(capped(c, Number<N>::at(z, dz, first + i)) - Number<N>::constant(top));
        sum = block_sum(sum);
        if (threadIdx.x == 0) losses[r] = loss_of(sum, capped(c, Number<N>::at(z, dz, first + target)), top);
        // The target's logit is read before any thread overwrites dz.
        __syncthreads();
        if (ybar) {
            N scale = inverse(sum);
            WITHIN(i, vocabulary) {
                N logit = Number<N>::at(z, dz, first + i);
                N p = exp_of(capped(c, logit) - Number<N>::constant(top)) * scale;
                if (i == target) p = p - Number<N>::constant(1);
                keep(ybar, dybar, first + i, (real)share * (p * capped_slope(c, logit)));
            }
        }
    }
}
BOTH(head,
     (integer rows, integer vocabulary, double cap, double share, const unsigned* targets, const real* z, const real* dz,
      double* losses, real* ybar, real* dybar),
     (rows, vocabulary, cap, share, targets, z, dz, losses, ybar, dybar))
