// The rules of the primitives on the GPU, for NVRTC. REAL is float or double.
//
// Each rule is written once, for numbers of type N: with N = real it gives values (or adjoints), with N = Dual it gives
// their derivatives along a direction, by the algebra of dual numbers. So a tangent cannot disagree with its value, nor an
// adjoint tangent with its adjoint. All sums run in an order that depends on shapes alone.
//
// Arrays are row-major, one row a token; a `write` of 0 sets, of 1 adds. Kernels stride over their work, so any grid and
// any block give the same result. A block of directions is swept at once: the second index of the grid is the direction,
// which shares the values with the others and has tangents of its own.

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

/// An array for each direction, `step` elements from one to the next.
struct Lanes {
    real* first;
    integer step;

    __device__ inline real& operator[](integer i) const { return first[blockIdx.y * step + i]; }
};

/// An array with its tangents. No tangents are those of a constant.
struct Pair {
    real* value;
    Lanes tangent;
};

/// Where a rule writes: values, or the direction's derivatives.
struct Slot {
    Lanes to;
    integer write;

    __device__ inline void put(integer i, real x) const { to[i] = write ? to[i] + x : x; }
};

template <class N>
struct Number;
template <>
struct Number<real> {
    static __device__ inline real at(const Pair& x, integer i) { return x.value[i]; }
    static __device__ inline real constant(real x) { return x; }
    static __device__ inline double product(real x, real y) { return (double)x * y; }
};
template <>
struct Number<Dual> {
    static __device__ inline Dual at(const Pair& x, integer i) {
        return {x.value[i], x.tangent.first ? x.tangent[i] : 0};
    }
    static __device__ inline Dual constant(real x) { return {x, 0}; }
    static __device__ inline double product(Dual x, Dual y) { return (double)x.v * y.d + (double)x.d * y.v; }
};

/// Both parts of a number, for rules that need them later. The value is every direction's, and the first one writes it.
__device__ inline void keep(const Pair& to, integer i, real x) { to.value[i] = x; }
__device__ inline void keep(const Pair& to, integer i, Dual x) {
    if (blockIdx.y == 0) to.value[i] = x.v;
    to.tangent[i] = x.d;
}

#define THREADS 128
#define LOWEST ((real)-1e30)
#define EACH(i, count) for (integer i = blockIdx.x * (integer)blockDim.x + threadIdx.x; i < (count); i += gridDim.x * (integer)blockDim.x)
#define BLOCKS(b, count) for (integer b = blockIdx.x; b < (count); b += gridDim.x)
#define WITHIN(i, count) for (integer i = threadIdx.x; i < (count); i += blockDim.x)

/// Quotient and remainder of numbers that are not negative. The division of 64 bits takes several times that of 32.
struct Split {
    integer over, rest;
};

__device__ inline Split split(integer a, integer b) {
    integer over = (a | b) >> 32 ? a / b : (integer)((unsigned)a / (unsigned)b);
    return {over, a - over * b};
}

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

// A kernel takes pointers, integers, doubles and the structures above. BOTH makes one for values and one for derivatives.
#define BOTH(name, parameters, arguments)                                                \
    extern "C" __global__ void name##_value parameters { name<real> arguments; }        \
    extern "C" __global__ void name##_tangent parameters { name<Dual> arguments; }

// y = factor x; both may be one.
extern "C" __global__ void multiply(integer count, double factor, Lanes x, Lanes y) {
    EACH(i, count) y[i] = (real)(factor * x[i]);
}

// to = sign s[index] x; no s is 1.
template <class N>
__device__ void scaled(integer count, double sign, Pair s, integer index, Pair x, Slot to) {
    N factor = s.value ? (real)sign * Number<N>::at(s, index) : Number<N>::constant((real)sign);
    EACH(i, count) to.put(i, part(factor * Number<N>::at(x, i)));
}
BOTH(scaled, (integer count, double sign, Pair s, integer index, Pair x, Slot to), (count, sign, s, index, x, to))

// The parts of x . y that each block of threads adds up, `gridDim.x` for each direction; `total` finishes:
// to[index] += sign times their sum.
template <class N>
__device__ void partial_dot(integer count, Pair x, Pair y, double* partials) {
    double sum = 0;
    EACH(i, count) sum += Number<N>::product(Number<N>::at(x, i), Number<N>::at(y, i));
    sum = block_sum(sum);
    if (threadIdx.x == 0) partials[blockIdx.y * (integer)gridDim.x + blockIdx.x] = sum;
}
BOTH(partial_dot, (integer count, Pair x, Pair y, double* partials), (count, x, y, partials))

extern "C" __global__ void total(integer count, double sign, const double* partials, integer index, Lanes to) {
    double sum = 0;
    WITHIN(i, count) sum += partials[blockIdx.y * count + i];
    sum = block_sum(sum);
    if (threadIdx.x == 0) to[index] += (real)(sign * sum);
}

// The means of `length` rows' losses each, for `count` sequences of each direction, whose results are `step` apart.
extern "C" __global__ void means(integer count, integer length, const double* losses, double* to, integer step) {
    BLOCKS(b, count) {
        double sum = 0;
        WITHIN(t, length) sum += losses[(blockIdx.y * count + b) * length + t];
        sum = block_sum(sum);
        if (threadIdx.x == 0) to[blockIdx.y * step + b] = sum / length;
    }
}

/// Matrices along three levels, the first the fastest.
struct Matrices {
    real* first;
    integer strides[3];
};

// Where the matrices of a product lie, `count0 count1 count2` of each: those of a, then of b, then of the result.
extern "C" __global__ void addresses(integer count0, integer count1, integer count2, Matrices a, Matrices b, Matrices c,
                                     real** to) {
    integer count = count0 * count1 * count2;
    EACH(i, count) {
        integer along[3] = {i % count0, i / count0 % count1, i / (count0 * count1)};
        const Matrices* all[3] = {&a, &b, &c};
        for (int j = 0; j < 3; j++) {
            const integer* strides = all[j]->strides;
            to[j * count + i] = all[j]->first + along[0] * strides[0] + along[1] * strides[1] + along[2] * strides[2];
        }
    }
}
