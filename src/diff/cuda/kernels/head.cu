// The head's loss.

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

// One row of logits z a block: its loss -log softmax(capped z)[target] (or that loss's derivative), and where zbar is
// given the loss's adjoint in z, times share: (p - onehot) capped'(z). The tangent of zbar may be that of z. The losses of
// a direction begin `step` after those of the one before.
template <class N>
__device__ void head(integer rows, integer vocabulary, double cap, double share, const unsigned* targets, Pair z,
                     double* losses, integer step, Pair zbar) {
    real c = (real)cap;
    BLOCKS(r, rows) {
        integer first = r * vocabulary, target = targets[r];
        real top = LOWEST;
        WITHIN(i, vocabulary) top = fmax(top, value_of(capped(c, z.value[first + i])));
        top = block_max(top);
        N sum = Number<N>::constant(0);
        WITHIN(i, vocabulary) sum = sum + exp_of(capped(c, Number<N>::at(z, first + i)) - Number<N>::constant(top));
        sum = block_sum(sum);
        if (threadIdx.x == 0) losses[blockIdx.y * step + r] = loss_of(sum, capped(c, Number<N>::at(z, first + target)), top);
        // The target's logit is read before any thread overwrites its tangent.
        __syncthreads();
        if (zbar.value) {
            N scale = inverse(sum);
            WITHIN(i, vocabulary) {
                N logit = Number<N>::at(z, first + i);
                N p = exp_of(capped(c, logit) - Number<N>::constant(top)) * scale;
                if (i == target) p = p - Number<N>::constant(1);
                keep(zbar, first + i, (real)share * (p * capped_slope(c, logit)));
            }
        }
    }
}
BOTH(head,
     (integer rows, integer vocabulary, double cap, double share, const unsigned* targets, Pair z, double* losses,
      integer step, Pair zbar),
     (rows, vocabulary, cap, share, targets, z, losses, step, zbar))
