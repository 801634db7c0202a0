#include "common/metrics/exposition.h"

#include <prometheus/collectable.h>
#include <prometheus/text_serializer.h>

namespace headgate {

std::string Exposition(const prometheus::Collectable& metrics) {
  return prometheus::TextSerializer().Serialize(metrics.Collect());
}

}  // namespace headgate
