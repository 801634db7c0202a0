// Numbers as people write them: no exponents. Pure: any thread.
#pragma once

#include <string>

namespace headgate {

// At least `digits` digits that count, all of those before the point, no zeros after the last:
// "2000", "1000000", "0.3", "0.00012".
std::string PlainNumber(double value, int digits = 6);

}  // namespace headgate
