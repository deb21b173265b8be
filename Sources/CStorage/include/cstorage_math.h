// The elementary functions of <math.h>, so that Swift need not ask which C library there is.
#ifndef CSTORAGE_MATH_H
#define CSTORAGE_MATH_H

#include <math.h>

static inline double cstorage_pow(double base, double exponent) { return pow(base, exponent); }
static inline double cstorage_exp(double x) { return exp(x); }
static inline double cstorage_log(double x) { return log(x); }
static inline double cstorage_log10(double x) { return log10(x); }
static inline double cstorage_sin(double x) { return sin(x); }
static inline double cstorage_cos(double x) { return cos(x); }
static inline double cstorage_tan(double x) { return tan(x); }
static inline double cstorage_asin(double x) { return asin(x); }
static inline double cstorage_acos(double x) { return acos(x); }
static inline double cstorage_atan(double x) { return atan(x); }
static inline double cstorage_atan2(double y, double x) { return atan2(y, x); }

#endif
