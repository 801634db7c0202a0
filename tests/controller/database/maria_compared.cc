#include "tests/controller/database/maria_compared.h"

namespace headgate::database {

std::unique_ptr<testing::MariaLab> MariaComparedTest::lab_;

void MariaComparedTest::SetUpTestSuite() {
  if (lab_ != nullptr) return;
  lab_ = std::make_unique<testing::MariaLab>();
  // More than a chunk.
  Both(
      "CREATE TABLE shop.items (id BIGINT PRIMARY KEY, a INT, b VARCHAR(40), n DECIMAL(20,2), "
      "at DATETIME(3)); "
      "INSERT INTO shop.items SELECT seq, seq % 7, IF(seq % 5 > 0, CONCAT('item ', seq), NULL), "
      "seq * 1.5, '2024-01-01' + INTERVAL seq SECOND FROM shop.seq_1_to_3000");
}

}  // namespace headgate::database
