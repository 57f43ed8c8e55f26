// Stands in for the NVIDIA driver, the run-time compiler and cuBLAS, so that the program's GPU path can be run where no
// GPU is: kernels are compiled as C++ and run one thread a block, products are plain loops. Built once for each of the
// libraries' names. Only what the program calls is here.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>
#include <unistd.h>

// A line for every kernel and every product, in the file that STAND_IN_CALLS names.
static void called(const char* what) {
    static FILE* log = getenv("STAND_IN_CALLS") ? fopen(getenv("STAND_IN_CALLS"), "a") : nullptr;
    if (log) fprintf(log, "%s\n", what), fflush(log);
}

extern "C" {

// The driver.

int cuInit(unsigned) { return 0; }
int cuDeviceGetCount(int* count) { return *count = getenv("STAND_IN_DEVICES") ? atoi(getenv("STAND_IN_DEVICES")) : 1, 0; }
int cuDeviceGet(int* device, int ordinal) { return *device = ordinal, 0; }
int cuDeviceGetName(char* name, int size, int) { return snprintf(name, size, "stand-in"), 0; }
int cuDeviceGetAttribute(int* value, int attribute, int) {
    *value = attribute == 75 ? 9 : 0; // compute capability 9.0
    return 0;
}
int cuDeviceTotalMem_v2(size_t* bytes, int) { return *bytes = (size_t)8 << 30, 0; }
int cuDevicePrimaryCtxRetain(void** context, int) { return *context = (void*)1, 0; }
int cuDevicePrimaryCtxRelease_v2(int) { return 0; }
int cuCtxSetCurrent(void*) { return 0; }
int cuCtxGetCurrent(void** context) { return *context = (void*)1, 0; }
int cuCtxSynchronize() { return 0; }
int cuStreamCreate(void** stream, unsigned) { return *stream = (void*)2, 0; }
int cuStreamDestroy_v2(void*) { return 0; }
int cuStreamSynchronize(void*) { return 0; }
int cuEventCreate(void** event, unsigned) { return *event = (void*)3, 0; }
int cuEventRecord(void*, void*) { return 0; }
int cuEventDestroy_v2(void*) { return 0; }
int cuStreamWaitEvent(void*, void*, unsigned) { return 0; }
int cuGetErrorString(int error, const char** text) {
    return *text = error == 2 ? "out of memory" : error == 222 ? "the provided PTX was compiled with an unsupported toolchain" : "error", 0;
}
int cuGetErrorName(int, const char** text) { return *text = "error", 0; }

static std::map<uint64_t, size_t> held;
static size_t in_use = 0;
static bool launched = false;

static size_t room() {
    const char* megabytes = getenv("STAND_IN_MEMORY_MB");
    return megabytes ? (size_t)atoll(megabytes) << 20 : (size_t)8 << 30;
}

int cuMemGetInfo_v2(size_t* free, size_t* total) { return *total = room(), *free = room() - in_use, 0; }
int cuMemAlloc_v2(uint64_t* at, size_t bytes) {
    // Another program may take what is free while this one runs.
    bool taken = launched && getenv("STAND_IN_TAKEN");
    if (taken || in_use + bytes > room()) return 2;
    void* memory = malloc(bytes);
    memset(memory, 0xff, bytes); // not a number: whoever reads what nobody wrote is found out
    *at = (uint64_t)memory;
    held[*at] = bytes;
    in_use += bytes;
    return 0;
}
int cuMemFree_v2(uint64_t at) {
    in_use -= held[at];
    held.erase(at);
    free((void*)at);
    return 0;
}

// Bytes of every copy, a line each, in the file that STAND_IN_COPIES names.
static int copy(void* to, const void* from, size_t bytes) {
    static FILE* log = getenv("STAND_IN_COPIES") ? fopen(getenv("STAND_IN_COPIES"), "w") : nullptr;
    if (log) fprintf(log, "%zu\n", bytes), fflush(log);
    return memcpy(to, from, bytes), 0;
}

int cuMemcpyHtoDAsync_v2(uint64_t to, const void* from, size_t bytes, void*) { return copy((void*)to, from, bytes); }
int cuMemcpyDtoHAsync_v2(void* to, uint64_t from, size_t bytes, void*) { return copy(to, (void*)from, bytes); }
int cuMemsetD8Async(uint64_t at, unsigned char value, size_t count, void*) { return memset((void*)at, value, count), 0; }

int cuModuleLoadData(void** module, const void* image) {
    if (getenv("STAND_IN_OLD_DRIVER")) return 222;
    *module = dlopen((const char*)image, RTLD_NOW);
    if (!*module) fprintf(stderr, "%s\n", dlerror());
    return *module ? 0 : 200;
}
int cuModuleUnload(void*) { return 0; }
int cuModuleGetFunction(void** function, void* module, const char* name) {
    *function = dlsym(module, (std::string(name) + "_on_host").c_str());
    return *function ? 0 : 500;
}
int cuLaunchKernel(void* function, unsigned blocks, unsigned rows, unsigned, unsigned, unsigned, unsigned, unsigned, void*,
                   void** arguments, void**) {
    launched = true;
    called("kernel");
    ((void (*)(unsigned, unsigned, void**))function)(blocks, rows, arguments);
    return 0;
}

// The run-time compiler: its program is compiled by the machine's own, and what it hands out is a path.

struct Program {
    std::string source, path, log;
};

int nvrtcVersion(int* major, int* minor) { return *major = 13, *minor = 0, 0; }
const char* nvrtcGetErrorString(int) { return "stand-in"; }
int nvrtcCreateProgram(Program** program, const char* source, const char*, int, const char* const*, const char* const*) {
    *program = new Program{source, "", ""};
    return 0;
}
int nvrtcCompileProgram(Program* program, int count, const char* const* options) {
    std::string flags;
    for (int i = 0; i < count; i++)
        if (!strncmp(options[i], "-D", 2)) flags += std::string(" ") + options[i];
    // Beside this library: what was compiled once serves every run of the tests.
    Dl_info self;
    dladdr((void*)nvrtcCompileProgram, &self);
    std::string place = self.dli_fname;
    place = place.substr(0, place.rfind('/') + 1) + std::to_string(std::hash<std::string>{}(program->source + flags)) + ".so";
    program->path = place;
    if (!access(place.c_str(), R_OK)) return 0;
    std::string folder = place + "-XXXXXX";
    if (!mkdtemp(folder.data())) return 6;
    std::string base = folder + "/kernels";
    std::ofstream out(base + ".cpp");
    out << "#include <cmath>\n#include <utility>\nusing namespace std;\n"
           "#define __device__\n#define __global__\n#define __shared__ static\n"
           "struct Place { unsigned x, y; };\n"
           "static Place blockIdx, gridDim; static const Place threadIdx{0, 0}, blockDim{1, 1};\n"
           "inline void __syncthreads() {}\n"
           "template <class... A, size_t... I> void call(void (*f)(A...), void** a, index_sequence<I...>) { f(*(A*)a[I]...); }\n"
           "template <class... A> void run(void (*f)(A...), unsigned blocks, unsigned rows, void** a) {\n"
           "    gridDim = {blocks, rows};\n"
           "    for (unsigned r = 0; r < rows; r++)\n"
           "        for (unsigned b = 0; b < blocks; b++) { blockIdx = {b, r}; call(f, a, index_sequence_for<A...>{}); }\n}\n"
        << program->source;
    std::set<std::string> names;
    std::regex both("\nBOTH\\((\\w+),"), plain("\nextern \"C\" __global__ void (\\w+)\\(");
    auto each = [&](std::regex& pattern, auto found) {
        for (std::sregex_iterator i(program->source.begin(), program->source.end(), pattern), end; i != end; ++i) found((*i)[1]);
    };
    each(both, [&](std::string name) { names.insert(name + "_value"), names.insert(name + "_tangent"); });
    each(plain, [&](std::string name) { names.insert(name); });
    for (auto& name : names)
        out << "\nextern \"C\" void " << name << "_on_host(unsigned blocks, unsigned rows, void** a) { run(" << name << ", blocks, rows, a); }";
    out << "\n";
    out.close();
    std::string command = "c++ -std=c++17 -O2 -w -fPIC -shared" + flags + " -o " + base + ".so " + base + ".cpp 2>" + base + ".log";
    int status = system(command.c_str());
    std::ifstream log(base + ".log");
    program->log.assign(std::istreambuf_iterator<char>(log), {});
    return status || rename((base + ".so").c_str(), place.c_str()) ? 6 : 0;
}
int nvrtcDestroyProgram(Program** program) { return delete *program, 0; }
int nvrtcGetPTXSize(Program* program, size_t* size) { return *size = program->path.size() + 1, 0; }
int nvrtcGetPTX(Program* program, char* ptx) { return strcpy(ptx, program->path.c_str()), 0; }
int nvrtcGetProgramLogSize(Program* program, size_t* size) { return *size = program->log.size() + 1, 0; }
int nvrtcGetProgramLog(Program* program, char* log) { return strcpy(log, program->log.c_str()), 0; }

// cuBLAS.

int cublasCreate_v2(void** handle) { return *handle = (void*)4, 0; }
int cublasDestroy_v2(void*) { return 0; }
int cublasSetStream_v2(void*, void*) { return 0; }
}

// A factor as TF32 has it: 10 bits of the mantissa, the nearest.
static float tf32(float x) {
    uint32_t bits;
    memcpy(&bits, &x, 4);
    bits = (bits + 0x1000) & ~0x1fffu;
    memcpy(&x, &bits, 4);
    return x;
}
static double tf32(double x) { return x; }

template <class T>
static int gemm(bool rounded, int ta, int tb, int m, int n, int k, T alpha, const T* a, int lda, long long sa, const T* b, int ldb,
                long long sb, T beta, T* c, int ldc, long long sc, int batch) {
    auto as = [&](T x) { return rounded ? tf32(x) : x; };
    // Columns of a one after another, whichever way they lie; sums in double, element by element in the order of k.
    std::vector<double> columns((size_t)m * k), sums(m);
    for (int i = 0; i < batch; i++, a += sa, b += sb, c += sc) {
        for (int l = 0; l < k; l++)
            for (int row = 0; row < m; row++)
                columns[(size_t)l * m + row] = as(ta ? a[l + (long long)row * lda] : a[row + (long long)l * lda]);
        for (int col = 0; col < n; col++) {
            std::fill(sums.begin(), sums.end(), 0.0);
            for (int l = 0; l < k; l++) {
                double factor = as(tb ? b[col + (long long)l * ldb] : b[l + (long long)col * ldb]);
                const double* column = &columns[(size_t)l * m];
                for (int row = 0; row < m; row++) sums[row] += column[row] * factor;
            }
            T* to = c + (long long)col * ldc;
            // As cuBLAS: with beta 0 the target is not read.
            for (int row = 0; row < m; row++) to[row] = alpha * (T)sums[row] + (beta == 0 ? 0 : beta * to[row]);
        }
    }
    return 0;
}

static int product(int compute, int ta, int tb, int m, int n, int k, const void* alpha, const void* a, int kind, int lda, long long sa,
                   const void* b, int ldb, long long sb, const void* beta, void* c, int ldc, long long sc, int batch) {
    auto in = [&](auto zero) {
        typedef decltype(zero) T;
        return gemm(compute == 77 /* FAST_TF32 */, ta, tb, m, n, k, *(const T*)alpha, (const T*)a, lda, sa, (const T*)b, ldb, sb, *(const T*)beta, (T*)c, ldc, sc,
                    batch);
    };
    return kind == 0 ? in(0.0f) : in(0.0); // CUDA_R_32F, CUDA_R_64F
}

extern "C" int cublasGemmStridedBatchedEx(void*, int ta, int tb, int m, int n, int k, const void* alpha, const void* a, int kind,
                                          int lda, long long sa, const void* b, int, int ldb, long long sb, const void* beta,
                                          void* c, int, int ldc, long long sc, int batch, int compute, int) {
    called("product");
    return product(compute, ta, tb, m, n, k, alpha, a, kind, lda, sa, b, ldb, sb, beta, c, ldc, sc, batch);
}

extern "C" int cublasGemmBatchedEx(void*, int ta, int tb, int m, int n, int k, const void* alpha, const void* const* a, int kind,
                                   int lda, const void* const* b, int, int ldb, const void* beta, void* const* c, int, int ldc,
                                   int batch, int compute, int) {
    called("product");
    for (int i = 0; i < batch; i++)
        product(compute, ta, tb, m, n, k, alpha, a[i], kind, lda, 0, b[i], ldb, 0, beta, c[i], ldc, 0, 1);
    return 0;
}
