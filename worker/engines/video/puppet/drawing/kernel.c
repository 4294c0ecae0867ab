/* The pixel work of the puppet: planes read through coarse maps. `native.py` calls it, `plain.py` does the same with
 * OpenCV, and both agree within two grey levels, since positions are whole numbers of 1/32 pixel in both.
 *
 * A map gives, at nodes `step` pixels apart, the x and y in 1/32 pixel that the texture is read at; node (r, c) lies at
 * the pixel ((c - 1) step + (step - 1) / 2, (r - 1) step + (step - 1) / 2), so that block (r, c), the square between
 * four nodes, holds the pixels c step - step / 2 ... c step + step / 2 - 1. `step` is a power of two, at most 16:
 * interpolated positions are then exact in single precision.
 */
#include <stdint.h>

#define UNITS 32
#define INLINE static inline __attribute__((always_inline)) /* so that step and number of planes are known */

enum { STILL = 0, MIXED = 1, WHOLE = 2, EMPTY = 3 };

typedef struct {
    const uint8_t *pixels; /* planes x height x width; behind them three rows and 16 pixels more may be read */
    int32_t width, height;
} Texture;

typedef struct {
    const float *nodes; /* rows x columns x 2 */
    int32_t columns, step;
} Map;

typedef struct {
    uint8_t *first, *second; /* the plane, or both planes of chroma */
    int32_t stride;
} Target;

typedef struct {
    int32_t at, x, y; /* of the upper left of four pixels, in pixels: y * width + x */
    int32_t fx, fy;   /* 0 ... 31 */
} Place;

INLINE float clamped(float value, float limit) { /* what is no number becomes 0 */
    value = value > 0 ? value : 0;
    return value > limit ? limit : value;
}

INLINE int32_t nearest(float value) { /* half to even, as cvRound does; |value| < 2^22 */
    union { float f; int32_t i; } both = {value + 12582912.0f};
    return both.i - 0x4B400000;
}

INLINE int32_t read(const uint8_t *p, int32_t row, int32_t fx, int32_t fy) {
    int32_t upper = p[0] * UNITS + (p[1] - p[0]) * fx, lower = p[row] * UNITS + (p[row + 1] - p[row]) * fx;
    return (upper * UNITS + (lower - upper) * fy + UNITS * UNITS / 2) >> 10;
}

/* x and y, in 1/32 pixel, of `count` pixels of one row of block (row, column), the first of them its pixel `from`. */
INLINE void positions(const Map *map, int32_t row, int32_t line, int32_t column, int32_t from, int32_t count,
                             float *x, float *y) {
    const float *n = map->nodes + 2 * ((int64_t)row * map->columns + column);
    const float *s = n + 2 * map->columns;
    float unit = 0.5f / (float)map->step, v = (float)(2 * line + 1) * unit;
    float lx = n[0] + (s[0] - n[0]) * v, ly = n[1] + (s[1] - n[1]) * v;
    float dx = (n[2] + (s[2] - n[2]) * v - lx) * unit, dy = (n[3] + (s[3] - n[3]) * v - ly) * unit;
    for (int32_t k = 0; k < count; k++) {
        float u = (float)(2 * (from + k) + 1);
        x[k] = lx + dx * u;
        y[k] = ly + dy * u;
    }
}

INLINE Place place(const Texture *texture, float x, float y) {
    int32_t px = nearest(clamped(x, (float)((texture->width - 1) * UNITS)));
    int32_t py = nearest(clamped(y, (float)((texture->height - 1) * UNITS)));
    return (Place){(py >> 5) * texture->width + (px >> 5), px >> 5, py >> 5, px & 31, py & 31};
}

typedef struct {
    Map map;
    Texture texture, alpha;
    const uint8_t *back; /* planes x height x width of the canvas */
    const uint8_t *kinds;
    const uint8_t *tiles; /* of `step` pixels of the texture: MIXED, WHOLE or EMPTY for all that a block there reads */
    int32_t tile_rows, tile_columns;
    Target target;
    int32_t rows, columns; /* of blocks */
    int32_t width, height; /* of the plane */
} Warp;

enum { MOST = 4096 }; /* blocks of a row at most */

/* One plane of up to `RUN` pixels next to each other. */
enum { RUN = 8 };

typedef struct {
    const uint8_t *texture, *alpha, *back;
    uint8_t *out;
    int32_t width; /* of texture and alpha */
} Plane;

INLINE uint8_t over(int32_t one, int32_t back, int32_t alpha) {
    int32_t sum = one * alpha + back * (255 - alpha) + 127;
    return (uint8_t)((sum + 1 + (sum >> 8)) >> 8); /* sum / 255, exact for what two bytes can give */
}

static void slow(const Plane *plane, const Place *at, int32_t count, int32_t mixed) {
    for (int32_t k = 0; k < count; k++) {
        int32_t one = read(plane->texture + at[k].at, plane->width, at[k].fx, at[k].fy);
        if (mixed)
            one = over(one, plane->back[k], read(plane->alpha + at[k].at, plane->width, at[k].fx, at[k].fy));
        plane->out[k] = (uint8_t)one;
    }
}

#ifdef __AVX2__
#include <immintrin.h>

/* Eight pixels whose sources lie within 15 columns and three rows, which is where a face that hardly turns has them:
 * each row is read once and shuffled into place. */
typedef struct {
    int64_t from; /* the first column of the first row */
    __m128i pairs, below, across, down_low, down_high;
} Run;

INLINE int gather(const Texture *texture, __m256 x, __m256 y, Run *run) {
    __m256 zero = _mm256_setzero_ps();
    __m256 right = _mm256_set1_ps((float)((texture->width - 1) * UNITS));
    __m256 bottom = _mm256_set1_ps((float)((texture->height - 1) * UNITS));
    __m256i px = _mm256_cvtps_epi32(_mm256_min_ps(_mm256_max_ps(x, zero), right));
    __m256i py = _mm256_cvtps_epi32(_mm256_min_ps(_mm256_max_ps(y, zero), bottom));
    __m256i ix = _mm256_srai_epi32(px, 5), iy = _mm256_srai_epi32(py, 5), low = _mm256_set1_epi32(31);
    int32_t first = _mm256_cvtsi256_si32(ix), top = _mm256_cvtsi256_si32(iy), last = _mm256_extract_epi32(iy, 7);
    top = last < top ? last : top;
    ix = _mm256_sub_epi32(ix, _mm256_set1_epi32(first));
    iy = _mm256_sub_epi32(iy, _mm256_set1_epi32(top));
    __m256i far = _mm256_or_si256(_mm256_cmpgt_epi32(ix, _mm256_set1_epi32(14)),
                                  _mm256_cmpgt_epi32(iy, _mm256_set1_epi32(1)));
    far = _mm256_or_si256(far, _mm256_or_si256(ix, iy)); /* negative ones */
    if (_mm256_movemask_ps(_mm256_castsi256_ps(far)))
        return 0;
    __m256i fx = _mm256_and_si256(px, low), fy = _mm256_and_si256(py, low), full = _mm256_set1_epi32(UNITS);
    /* by pixel, in 16 bits: the columns i, i + 1; the weights 32 - f, f, of bytes across and of words down */
    __m256i pair = _mm256_add_epi32(_mm256_mullo_epi32(ix, _mm256_set1_epi32(0x101)), _mm256_set1_epi32(0x100));
    __m256i weight = _mm256_or_si256(_mm256_slli_epi32(fx, 8), _mm256_sub_epi32(full, fx));
    __m256i words = _mm256_packus_epi32(pair, weight); /* each half: four pairs, four weights */
    words = _mm256_permute4x64_epi64(words, 0xD8);
    run->pairs = _mm256_castsi256_si128(words);
    run->across = _mm256_extracti128_si256(words, 1);
    __m256i down = _mm256_or_si256(_mm256_slli_epi32(fy, 16), _mm256_sub_epi32(full, fy));
    run->down_low = _mm256_castsi256_si128(down);
    run->down_high = _mm256_extracti128_si256(down, 1);
    __m256i lower = _mm256_cmpgt_epi32(iy, _mm256_setzero_si256());
    run->below = _mm_packs_epi32(_mm256_castsi256_si128(lower), _mm256_extracti128_si256(lower, 1));
    run->from = (int64_t)top * texture->width + first;
    return 1;
}

INLINE __m128i bilinear(const uint8_t *plane, int32_t width, const Run *run) { /* eight words */
    const uint8_t *p = plane + run->from;
    __m128i one = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)p), run->pairs);
    __m128i two = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(p + width)), run->pairs);
    __m128i three = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(p + 2 * (int64_t)width)), run->pairs);
    __m128i upper = _mm_maddubs_epi16(_mm_blendv_epi8(one, two, run->below), run->across);
    __m128i lower = _mm_maddubs_epi16(_mm_blendv_epi8(two, three, run->below), run->across);
    __m128i half = _mm_set1_epi32(UNITS * UNITS / 2);
    __m128i low = _mm_madd_epi16(_mm_unpacklo_epi16(upper, lower), run->down_low);
    __m128i high = _mm_madd_epi16(_mm_unpackhi_epi16(upper, lower), run->down_high);
    low = _mm_srai_epi32(_mm_add_epi32(low, half), 10);
    high = _mm_srai_epi32(_mm_add_epi32(high, half), 10);
    return _mm_packs_epi32(low, high);
}

INLINE void fast(const Plane *plane, const Run *run, int32_t mixed) {
    __m128i one = bilinear(plane->texture, plane->width, run);
    if (mixed) {
        __m128i alpha = bilinear(plane->alpha, plane->width, run), most = _mm_set1_epi16(255);
        __m128i back = _mm_cvtepu8_epi16(_mm_loadl_epi64((const __m128i *)plane->back));
        __m128i sum = _mm_add_epi16(_mm_mullo_epi16(one, alpha), _mm_mullo_epi16(back, _mm_sub_epi16(most, alpha)));
        sum = _mm_add_epi16(sum, _mm_set1_epi16(127));
        sum = _mm_add_epi16(_mm_add_epi16(sum, _mm_set1_epi16(1)), _mm_srli_epi16(sum, 8));
        one = _mm_srli_epi16(sum, 8);
    }
    _mm_storel_epi64((__m128i *)plane->out, _mm_packus_epi16(one, one));
}
#endif

/* What each block of a row shows with this frame's map, by the tile that lies under its middle. */
INLINE void live(const Warp *w, int32_t row, uint8_t *kinds) {
    float unit = 0.25f / (float)(UNITS * w->map.step);
    for (int32_t column = 0; column < w->columns; column++) {
        uint8_t kind = w->kinds[(int64_t)row * w->columns + column];
        if (kind == MIXED) {
            const float *n = w->map.nodes + 2 * ((int64_t)row * w->map.columns + column), *s = n + 2 * w->map.columns;
            int32_t x = (int32_t)clamped((n[0] + n[2] + s[0] + s[2]) * unit, (float)(w->tile_columns - 1));
            int32_t y = (int32_t)clamped((n[1] + n[3] + s[1] + s[3]) * unit, (float)(w->tile_rows - 1));
            kind = w->tiles[(int64_t)y * w->tile_columns + x];
        }
        kinds[column] = kind;
    }
}

INLINE Plane plane_of(const Warp *w, int32_t channel, int32_t x, int32_t y) {
    uint8_t *target = channel ? w->target.second : w->target.first;
    int64_t size = (int64_t)w->texture.width * w->texture.height;
    return (Plane){
        .texture = w->texture.pixels + channel * size,
        .alpha = w->alpha.pixels,
        .back = w->back + ((int64_t)channel * w->height + y) * w->width + x,
        .out = target + (int64_t)y * w->target.stride + x,
        .width = w->texture.width,
    };
}

/* RUN columns of pixels of one row of blocks. `x` and `y`: where each one's first pixel reads, `dx` and `dy`: what the
 * next pixel below adds. */
typedef struct {
    float x[RUN], y[RUN], dx[RUN], dy[RUN];
} Columns;

/* Those that begin with block (row, column), of which `step` is a divisor or a multiple; from: the first one's pixel in
 * that block. Whole numbers and halves of powers of two: every sum is exact, in whatever order. */
INLINE Columns columns_of(const Map *map, int32_t row, int32_t column, int32_t from, int32_t last, const int32_t step) {
    const float unit = 0.5f / (float)step, down = 1 / (float)step;
    Columns c;
    for (int32_t k = 0; k < RUN; k++) {
        int32_t block = column + (from + k) / step;
        block = block < last ? block : last - 1;
        const float *n = map->nodes + 2 * ((int64_t)row * map->columns + block), *s = n + 2 * map->columns;
        float u = (float)(2 * ((from + k) % step) + 1) * unit;
        float tx = n[0] + (n[2] - n[0]) * u, ty = n[1] + (n[3] - n[1]) * u;
        float bx = s[0] + (s[2] - s[0]) * u, by = s[1] + (s[3] - s[1]) * u;
        c.dx[k] = (bx - tx) * down;
        c.dy[k] = (by - ty) * down;
        c.x[k] = tx + 0.5f * c.dx[k];
        c.y[k] = ty + 0.5f * c.dy[k];
    }
    return c;
}

/* The pixels `x` to `x` + `count` - 1 of the rows `top` to `bottom` - 1, the first of which is line `line` of its block;
 * skip: columns of `c` before the first one. */
INLINE void strip(const Warp *w, const Columns *c, int32_t x, int32_t count, int32_t skip, int32_t top, int32_t bottom,
                  int32_t line, int32_t mixed, const int32_t planes) {
    Plane plane[2] = {plane_of(w, 0, x, top), plane_of(w, planes - 1, x, top)};
#ifdef __AVX2__
    __m256 dx = _mm256_loadu_ps(c->dx), dy = _mm256_loadu_ps(c->dy), first = _mm256_set1_ps((float)line);
    __m256 px = _mm256_add_ps(_mm256_loadu_ps(c->x), _mm256_mul_ps(dx, first));
    __m256 py = _mm256_add_ps(_mm256_loadu_ps(c->y), _mm256_mul_ps(dy, first));
#endif
    for (int32_t y = top; y < bottom; y++, line++) {
        int done = 0;
#ifdef __AVX2__
        Run run;
        done = count == RUN && gather(&w->texture, px, py, &run);
        if (done)
            for (int32_t channel = 0; channel < planes; channel++)
                fast(&plane[channel], &run, mixed);
        px = _mm256_add_ps(px, dx);
        py = _mm256_add_ps(py, dy);
#endif
        if (!done) {
            Place at[RUN];
            for (int32_t k = 0; k < count; k++)
                at[k] = place(&w->texture, c->x[skip + k] + c->dx[skip + k] * (float)line,
                              c->y[skip + k] + c->dy[skip + k] * (float)line);
            for (int32_t channel = 0; channel < planes; channel++)
                slow(&plane[channel], at, count, mixed);
        }
        for (int32_t channel = 0; channel < planes; channel++) {
            plane[channel].out += w->target.stride;
            plane[channel].back += w->width;
        }
    }
}

INLINE void copied(const Warp *w, int32_t x, int32_t count, int32_t top, int32_t bottom, const int32_t planes) {
    for (int32_t channel = 0; channel < planes; channel++) {
        Plane plane = plane_of(w, channel, x, top);
        for (int32_t y = top; y < bottom; y++, plane.out += w->target.stride, plane.back += w->width)
            for (int32_t k = 0; k < count; k++)
                plane.out[k] = plane.back[k];
    }
}

/* The blocks `first` to `last` - 1 of a row of blocks, all of them moving. */
INLINE void stretch(const Warp *w, const uint8_t *kinds, int32_t row, int32_t first, int32_t last, const int32_t step,
                    const int32_t planes) {
    const int32_t half = step / 2, each = step < RUN ? RUN / step : 1;
    int32_t above = row * step - half, top = above < 0 ? 0 : above;
    int32_t bottom = above + step > w->height ? w->height : above + step;
    for (int32_t column = first; column < last; column += each) {
        int32_t mixed = 0, empty = 1;
        for (int32_t block = column; block < column + each && block < last; block++) {
            mixed |= kinds[block] != WHOLE;
            empty &= kinds[block] == EMPTY;
        }
        for (int32_t from = 0; from < (step > RUN ? step : RUN); from += RUN) {
            int32_t left = column * step - half + from, skip = left < 0 ? -left : 0;
            int32_t end = last * step - half < w->width ? last * step - half : w->width;
            int32_t count = (left + RUN < end ? RUN : end - left) - skip;
            if (count <= 0)
                continue;
            if (empty) {
                copied(w, left + skip, count, top, bottom, planes);
                continue;
            }
            Columns c = columns_of(&w->map, row, column, from, last, step);
            strip(w, &c, left + skip, count, skip, top, bottom, top - above, mixed, planes);
        }
    }
}

INLINE void warp(const Warp *w, const int32_t step, const int32_t planes) {
    uint8_t kinds[MOST];
    for (int32_t row = 0; row < w->rows; row++) {
        live(w, row, kinds);
        for (int32_t first = 0; first < w->columns; first++) {
            int32_t last = first;
            while (last < w->columns && kinds[last] != STILL)
                last++;
            if (last > first)
                stretch(w, kinds, row, first, last, step, planes);
            first = last;
        }
    }
}

INLINE void stepped(const Warp *w, const int32_t planes) { /* a known step lets the compiler lay out a run at once */
    switch (w->map.step) {
    case 2: warp(w, 2, planes); break;
    case 4: warp(w, 4, planes); break;
    case 8: warp(w, 8, planes); break;
    default: warp(w, 16, planes);
    }
}

void warp_luma(const Warp *w) { stepped(w, 1); }
void warp_chroma(const Warp *w) { stepped(w, 2); }

/* What the lips make of the inner mouth, as `interior.Shade` says; every length in pixels of the plane. */
typedef struct {
    float gain, upper_floor, upper_slope, lower_floor, lower_slope, left, right, fall, corner, full, oval, trim;
} Shade;

typedef struct {
    Map above, below, skull;
    Texture skin, inner;
    const float *seam; /* y of the lips' seam in each column of the skin, and one column more */
    float inner_x, inner_y; /* of the inner mouth's first pixel in the skin, 1/32 pixel */
    Shade shade;
    float depth[2], flesh[2][2]; /* by channel: the mouth's depth; the lips' flesh at the left and right corner */
    Target target;
    int32_t top, left, bottom, right; /* pixels of the plane */
} Mouth;

/* How far below the lips' seam a place is, in pixels. */
INLINE float below_seam(const Mouth *m, const Place *p) {
    float line = m->seam[p->x] + (m->seam[p->x + 1] - m->seam[p->x]) * (float)p->fx * (1.0f / UNITS);
    return (float)p->y + (float)p->fy * (1.0f / UNITS) - line;
}

INLINE float rise(float distance, float floor, float slope) {
    float light = floor + slope * (distance < 0 ? 0 : distance);
    return light > 1 ? 1 : light;
}

/* The light that reaches a place in the mouth, and how much of it is the lips' own flesh. */
typedef struct {
    float t, factor, amount;
} Light;

INLINE float bounded(float value, float low, float high) {
    return value < low ? low : value > high ? high : value;
}

INLINE Light light(const Mouth *m, const Place *s, float below, float above) {
    const Shade *shade = &m->shade;
    Light light;
    float x = (float)s->x + ((float)s->fx + m->inner_x) * (1.0f / UNITS);
    float wide = shade->right - shade->left, middle = 0.5f * (below + above);
    light.t = bounded((2 * x - shade->left - shade->right) / (wide < 1 ? 1 : wide), -1, 1);
    float side = 1 - shade->fall * light.t * light.t;
    light.factor = shade->gain * rise(below, shade->upper_floor, shade->upper_slope) *
                   rise(above, shade->lower_floor, shade->lower_slope) * (side < shade->corner ? shade->corner : side);
    float e = light.t / shade->full * (light.t / shade->full);
    e = e > 1 ? 1 : e;
    float round = 1 - e * (shade->oval + (1 - shade->oval) * e), off = 0.5f * (below - above);
    float tall = middle * __builtin_sqrtf(round < 0 ? 0 : round);
    light.amount = clamped((off < 0 ? -off : off) - tall + 1, 1);
    return light;
}

INLINE void lips(const Mouth *m, const Place *a, const Place *b, const Place *s, int32_t x, int32_t y,
                        const int32_t planes) {
    float below = below_seam(m, a), under = below_seam(m, b);
    float cut = clamped((below - under) * 0.6f, m->shade.trim);
    float upper = clamped(0.5f - below - cut, 1), lower = clamped(0.5f + under - cut, 1);
    Light lit = {0, 1, 0};
    if (upper < 1) {
        float covered = lower / (1 - upper > 1e-3f ? 1 - upper : 1e-3f);
        lower = covered > 1 ? 1 : covered;
        if (lower < 1)
            lit = light(m, s, below + cut, cut - under);
    }
    for (int32_t channel = 0; channel < planes; channel++) {
        const uint8_t *skin = m->skin.pixels + (int64_t)channel * m->skin.width * m->skin.height;
        float lip = (float)read(skin + a->at, m->skin.width, a->fx, a->fy), value = lip;
        if (upper < 1) {
            value = (float)read(skin + b->at, m->skin.width, b->fx, b->fy);
            if (lower < 1) {
                const uint8_t *inner = m->inner.pixels + (int64_t)channel * m->inner.width * m->inner.height;
                float deep = (float)read(inner + s->at, m->inner.width, s->fx, s->fy), depth = m->depth[channel];
                float flesh = m->flesh[channel][0] + (m->flesh[channel][1] - m->flesh[channel][0]) * (0.5f * (lit.t + 1));
                deep = depth + (deep - depth) * lit.factor;
                deep = bounded(deep + (flesh - deep) * lit.amount, 0, 255);
                value = deep + (value - deep) * lower;
            }
            value = value + (lip - value) * upper;
        }
        uint8_t *out = channel ? m->target.second : m->target.first;
        out[(int64_t)y * m->target.stride + x] = (uint8_t)(value + 0.5f);
    }
}

INLINE void mouth(const Mouth *m, const int32_t planes) {
    int32_t step = m->above.step, half = step / 2;
    for (int32_t y = m->top; y < m->bottom; y++) {
        int32_t row = (y + half) / step, line = (y + half) % step;
        for (int32_t x = m->left; x < m->right;) {
            int32_t column = (x + half) / step, from = (x + half) % step;
            int32_t count = step - from < m->right - x ? step - from : m->right - x;
            float px[3][16], py[3][16];
            positions(&m->above, row, line, column, from, count, px[0], py[0]);
            positions(&m->below, row, line, column, from, count, px[1], py[1]);
            positions(&m->skull, row, line, column, from, count, px[2], py[2]);
            for (int32_t k = 0; k < count; k++) {
                Place above = place(&m->skin, px[0][k], py[0][k]), below = place(&m->skin, px[1][k], py[1][k]);
                Place skull = place(&m->inner, px[2][k] - m->inner_x, py[2][k] - m->inner_y);
                lips(m, &above, &below, &skull, x + k, y, planes);
            }
            x += count;
        }
    }
}

void mouth_luma(const Mouth *m) { mouth(m, 1); }
void mouth_chroma(const Mouth *m) { mouth(m, 2); }
