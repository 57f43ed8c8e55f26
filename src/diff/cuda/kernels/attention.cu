// Softmax of attention scores.

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
extern "C" __global__ void softmax_tangent(integer rows, integer length, Pair p) {
    BLOCKS(r, rows) {
        real sum = 0;
        WITHIN(s, length) sum += p.value[r * length + s] * p.tangent[r * length + s];
        real mean = block_sum(sum);
        WITHIN(s, length) p.tangent[r * length + s] = p.value[r * length + s] * (p.tangent[r * length + s] - mean);
    }
}

// Sbar = P (Pbar - sum P Pbar).
template <class N>
__device__ void softmax_back(integer rows, integer length, Pair p, Pair pbar, Pair sbar) {
    BLOCKS(r, rows) {
        N mean = Number<N>::constant(0);
        WITHIN(s, length) mean = mean + Number<N>::at(p, r * length + s) * Number<N>::at(pbar, r * length + s);
        mean = block_sum(mean);
        WITHIN(s, length) {
            integer i = r * length + s;
            keep(sbar, i, Number<N>::at(p, i) * (Number<N>::at(pbar, i) - mean));
        }
    }
}
BOTH(softmax_back, (integer rows, integer length, Pair p, Pair pbar, Pair sbar), (rows, length, p, pbar, sbar))
