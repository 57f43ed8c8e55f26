// Long vectors and the columns of a basis, which eigensolvers keep on the device. All sums are in double precision and in
// an order that the number of rows alone decides: each thread adds up its own rows, each block its threads in pairs, and
// `sums` adds up the blocks.

/// Columns that are visited together, so that a row of w is read once for all of them.
#define TOGETHER 8
/// Rows and results that a thread of a rotation holds at once.
#define HELD_ROWS 2
#define HELD_RESULTS 16

/// to[j] <- the sum of the `blocks` partial sums of row j, one block each.
extern "C" __global__ void sums(integer rows, integer blocks, const double* partials, double* to) {
    BLOCKS(j, rows) {
        double sum = 0;
        WITHIN(i, blocks) sum += partials[j * blocks + i];
        sum = block_sum(sum);
        if (threadIdx.x == 0) to[j] = sum;
    }
}

/// y <- y + a x.
extern "C" __global__ void vector_add(integer count, double a, const real* x, real* y) {
    EACH(i, count) y[i] = (real)(y[i] + a * x[i]);
}

/// The block's part of each column . w, one row of partial sums a column.
extern "C" __global__ void column_dots(integer count, integer len, const real* const* columns, const real* w, double* partials) {
    for (integer first = 0; first < len; first += TOGETHER) {
        const real* column[TOGETHER];
        double sum[TOGETHER];
#pragma unroll
        for (int m = 0; m < TOGETHER; m++) {
            // What is left over after the last column repeats the group's first, to no effect.
            column[m] = columns[first + m < len ? first + m : first];
            sum[m] = 0;
        }
        EACH(i, count) {
            double x = w[i];
#pragma unroll
            for (int m = 0; m < TOGETHER; m++) sum[m] += x * column[m][i];
        }
#pragma unroll
        for (int m = 0; m < TOGETHER; m++) {
            double total = block_sum(sum[m]);
            if (threadIdx.x == 0 && first + m < len) partials[(first + m) * gridDim.x + blockIdx.x] = total;
        }
    }
}

/// w <- w + sign sum_j h[j] column j + more, which may be missing; and the block's part of w . w afterwards. Columns whose
/// h is 0 are not read.
extern "C" __global__ void add_columns(integer count, integer len, const real* const* columns, double sign, const double* h,
                                       const real* more, real* w, double* partials) {
    double squares = 0;
    EACH(i, count) {
        double x = w[i];
        if (more) x += more[i];
        for (integer first = 0; first < len; first += TOGETHER) {
            double a[TOGETHER];
            real taken[TOGETHER];
#pragma unroll
            for (int m = 0; m < TOGETHER; m++) a[m] = first + m < len ? sign * h[first + m] : 0;
            // All are under way before the first is needed.
#pragma unroll
            for (int m = 0; m < TOGETHER; m++) taken[m] = a[m] != 0 ? columns[first + m][i] : 0;
#pragma unroll
            for (int m = 0; m < TOGETHER; m++) x += a[m] * taken[m];
        }
        real rounded = (real)x;
        w[i] = rounded;
        squares += (double)rounded * rounded;
    }
    squares = block_sum(squares);
    if (threadIdx.x == 0) partials[blockIdx.x] = squares;
}

/// column c <- sum_j q[c, j] column j, for the leading `made` of them, row by row. A row belongs to one thread, which may
/// therefore write over what it has read; its results wait in `kept` until all are made.
extern "C" __global__ void rotate_columns(integer count, integer len, integer made, real* const* columns, const double* q,
                                          real* kept) {
    integer threads = gridDim.x * (integer)blockDim.x, self = blockIdx.x * (integer)blockDim.x + threadIdx.x;
    for (integer start = self; start < count; start += HELD_ROWS * threads) {
        for (integer first = 0; first < made; first += HELD_RESULTS) {
            double sum[HELD_RESULTS][HELD_ROWS];
#pragma unroll
            for (int m = 0; m < HELD_RESULTS; m++)
#pragma unroll
                for (int r = 0; r < HELD_ROWS; r++) sum[m][r] = 0;
            for (integer j = 0; j < len; j++) {
                double x[HELD_ROWS];
#pragma unroll
                for (int r = 0; r < HELD_ROWS; r++) {
                    integer row = start + r * threads;
                    x[r] = row < count ? columns[j][row] : 0;
                }
#pragma unroll
                for (int m = 0; m < HELD_RESULTS; m++) {
                    double a = first + m < made ? q[(first + m) * len + j] : 0;
#pragma unroll
                    for (int r = 0; r < HELD_ROWS; r++) sum[m][r] += a * x[r];
                }
            }
#pragma unroll
            for (int m = 0; m < HELD_RESULTS; m++)
#pragma unroll
                for (int r = 0; r < HELD_ROWS; r++)
                    if (first + m < made) kept[((first + m) * HELD_ROWS + r) * threads + self] = (real)sum[m][r];
        }
        for (integer c = 0; c < made; c++)
            for (int r = 0; r < HELD_ROWS; r++) {
                integer row = start + r * threads;
                if (row < count) columns[c][row] = kept[(c * HELD_ROWS + r) * threads + self];
            }
    }
}
