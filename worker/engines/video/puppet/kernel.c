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

enum { STILL = 0, MIXED = 1, WHOLE = 2 };

typedef struct {
    const uint8_t *pixels; /* height x width x channels, and one row and one pixel more that may be read */
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
    int32_t at;     /* of the upper left of four pixels, in pixels */
    int32_t fx, fy; /* 0 ... 31 */
} Place;

static inline float clamped(float value, float limit) {
    value = value < 0 ? 0 : value;
    return value > limit ? limit : value;
}

static inline int32_t nearest(float value) { /* half to even, as cvRound does; |value| < 2^22 */
    union { float f; int32_t i; } both = {value + 12582912.0f};
    return both.i - 0x4B400000;
}

static inline int32_t blend(int32_t a, int32_t b, int32_t c, int32_t d, int32_t fx, int32_t fy) {
    int32_t upper = a * UNITS + (b - a) * fx, lower = c * UNITS + (d - c) * fx;
    return (upper * UNITS + (lower - upper) * fy + UNITS * UNITS / 2) >> 10;
}

static inline int32_t read(const uint8_t *p, int32_t row, int32_t channels, int32_t fx, int32_t fy) {
    return blend(p[0], p[channels], p[row], p[row + channels], fx, fy);
}

/* x and y, in 1/32 pixel, of `count` pixels of one row of block (row, column), the first of them its pixel `from`. */
static inline void positions(const Map *map, int32_t row, int32_t line, int32_t column, int32_t from, int32_t count,
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

static inline void places(const Texture *texture, const float *x, const float *y, int32_t count, Place *place) {
    float right = (float)((texture->width - 1) * UNITS), bottom = (float)((texture->height - 1) * UNITS);
    for (int32_t k = 0; k < count; k++) {
        int32_t px = nearest(clamped(x[k], right)), py = nearest(clamped(y[k], bottom));
        place[k].at = (py >> 5) * texture->width + (px >> 5);
        place[k].fx = px & 31;
        place[k].fy = py & 31;
    }
}

typedef struct {
    Map map;
    Texture texture, alpha;
    const uint8_t *back; /* as the texture, but of the canvas' size */
    const uint8_t *kinds;
    Target target;
    int32_t rows, columns; /* of blocks */
    int32_t width, height; /* of the plane */
} Warp;

static inline void span(const Warp *w, const Place *place, int32_t count, int32_t mixed, int32_t x, int32_t y,
                        const int32_t channels) {
    uint8_t *first = w->target.first + (int64_t)y * w->target.stride + x;
    uint8_t *second = channels == 2 ? w->target.second + (int64_t)y * w->target.stride + x : 0;
    const uint8_t *back = w->back + channels * ((int64_t)y * w->width + x);
    int32_t row = w->texture.width * channels;
    for (int32_t k = 0; k < count; k++) {
        const Place *p = place + k;
        const uint8_t *at = w->texture.pixels + (int64_t)p->at * channels;
        int32_t one = read(at, row, channels, p->fx, p->fy);
        int32_t other = channels == 2 ? read(at + 1, row, channels, p->fx, p->fy) : 0;
        if (mixed) {
            int32_t a = read(w->alpha.pixels + p->at, w->alpha.width, 1, p->fx, p->fy);
            one = (one * a + back[k * channels] * (255 - a) + 127) / 255;
            if (channels == 2)
                other = (other * a + back[k * channels + 1] * (255 - a) + 127) / 255;
        }
        first[k] = (uint8_t)one;
        if (channels == 2)
            second[k] = (uint8_t)other;
    }
}

static inline void warp(const Warp *w, const int32_t channels) {
    int32_t step = w->map.step, half = step / 2;
    for (int32_t row = 0; row < w->rows; row++) {
        int32_t top = row * step - half, low = top < 0 ? 0 : top;
        int32_t high = top + step > w->height ? w->height : top + step;
        for (int32_t y = low; y < high; y++) {
            for (int32_t column = 0; column < w->columns; column++) {
                int32_t kind = w->kinds[(int64_t)row * w->columns + column];
                int32_t left = column * step - half, from = left < 0 ? -left : 0;
                int32_t end = left + step > w->width ? w->width - left : step;
                float px[16], py[16];
                Place place[16];
                if (kind == STILL || end <= from)
                    continue;
                positions(&w->map, row, y - top, column, from, end - from, px, py);
                places(&w->texture, px, py, end - from, place);
                span(w, place, end - from, kind == MIXED, left + from, y, channels);
            }
        }
    }
}

void warp_luma(const Warp *w) { warp(w, 1); }
void warp_chroma(const Warp *w) { warp(w, 2); }

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
static inline float below_seam(const Mouth *m, const Place *p) {
    int32_t row = p->at / m->skin.width, column = p->at - row * m->skin.width;
    float line = m->seam[column] + (m->seam[column + 1] - m->seam[column]) * (float)p->fx * (1.0f / UNITS);
    return (float)row + (float)p->fy * (1.0f / UNITS) - line;
}

static inline float rise(float distance, float floor, float slope) {
    float light = floor + slope * (distance < 0 ? 0 : distance);
    return light > 1 ? 1 : light;
}

/* The light that reaches a place in the mouth, and how much of it is the lips' own flesh. */
typedef struct {
    float t, factor, amount;
} Light;

static inline float bounded(float value, float low, float high) {
    return value < low ? low : value > high ? high : value;
}

static inline Light light(const Mouth *m, const Place *s, float below, float above) {
    const Shade *shade = &m->shade;
    Light light;
    float x = (float)(s->at % m->inner.width) + ((float)s->fx + m->inner_x) * (1.0f / UNITS);
    float wide = shade->right - shade->left, middle = 0.5f * (below + above);
    light.t = bounded((2 * x - shade->left - shade->right) / (wide < 1 ? 1 : wide), -1, 1);
    float side = 1 - shade->fall * light.t * light.t;
    light.factor = shade->gain * rise(below, shade->upper_floor, shade->upper_slope) *
                   rise(above, shade->lower_floor, shade->lower_slope) * (side < shade->corner ? shade->corner : side);
    float e = light.t / shade->full * (light.t / shade->full);
    e = e > 1 ? 1 : e;
    float round = 1 - e * (shade->oval + (1 - shade->oval) * e), off = 0.5f * (below - above);
    float tall = middle * __builtin_sqrtf(round < 0 ? 0 : round);
    light.amount = clamped((off < 0 ? -off : off) - tall + 0.5f, 1);
    return light;
}

static inline void lips(const Mouth *m, const Place *a, const Place *b, const Place *s, int32_t x, int32_t y,
                        const int32_t channels) {
    float below = below_seam(m, a), over = below_seam(m, b);
    float cut = clamped((below - over) * (1.0f / 3), m->shade.trim);
    float upper = clamped(0.5f - below - cut, 1), lower = clamped(0.5f + over - cut, 1);
    Light lit = {0, 1, 0};
    if (upper < 1) {
        float covered = lower / (1 - upper > 1e-3f ? 1 - upper : 1e-3f);
        lower = covered > 1 ? 1 : covered;
        if (lower < 1)
            lit = light(m, s, below + cut, cut - over);
    }
    for (int32_t channel = 0; channel < channels; channel++) {
        int32_t skin = m->skin.width * channels, inner = m->inner.width * channels;
        float lip = (float)read(m->skin.pixels + (int64_t)a->at * channels + channel, skin, channels, a->fx, a->fy);
        float value = lip;
        if (upper < 1) {
            value = (float)read(m->skin.pixels + (int64_t)b->at * channels + channel, skin, channels, b->fx, b->fy);
            if (lower < 1) {
                const uint8_t *at = m->inner.pixels + (int64_t)s->at * channels + channel;
                float deep = (float)read(at, inner, channels, s->fx, s->fy);
                float depth = m->depth[channel];
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

static inline void mouth(const Mouth *m, const int32_t channels) {
    int32_t step = m->above.step, half = step / 2;
    for (int32_t y = m->top; y < m->bottom; y++) {
        int32_t row = (y + half) / step, line = (y + half) % step;
        for (int32_t x = m->left; x < m->right;) {
            int32_t column = (x + half) / step, from = (x + half) % step;
            int32_t count = step - from < m->right - x ? step - from : m->right - x;
            float px[3][16], py[3][16];
            Place place[3][16];
            positions(&m->above, row, line, column, from, count, px[0], py[0]);
            positions(&m->below, row, line, column, from, count, px[1], py[1]);
            positions(&m->skull, row, line, column, from, count, px[2], py[2]);
            for (int32_t k = 0; k < count; k++) {
                px[2][k] -= m->inner_x;
                py[2][k] -= m->inner_y;
            }
            places(&m->skin, px[0], py[0], count, place[0]);
            places(&m->skin, px[1], py[1], count, place[1]);
            places(&m->inner, px[2], py[2], count, place[2]);
            for (int32_t k = 0; k < count; k++)
                lips(m, &place[0][k], &place[1][k], &place[2][k], x + k, y, channels);
            x += count;
        }
    }
}

void mouth_luma(const Mouth *m) { mouth(m, 1); }
void mouth_chroma(const Mouth *m) { mouth(m, 2); }
