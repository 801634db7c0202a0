// SVG text, element by element; numbers with a tenth of a pixel. What comes from outside is escaped
// here. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace headgate::cli {

using Points = std::vector<std::pair<double, double>>;

// For text and attribute values: what a reader of XML would take for markup, or must not see at
// all.
std::string EscapeXml(std::string_view text);

class Svg {
 public:
  Svg(double width, double height, std::string_view title);

  // `style`: attributes, ours alone, such as `class="grid"`.
  void Line(double x1, double y1, double x2, double y2, std::string_view style);
  void Rectangle(double x, double y, double width, double height, std::string_view style);
  void Circle(double x, double y, double radius, std::string_view style);
  void Text(double x, double y, std::string_view text, std::string_view style = "");
  // Nothing for fewer than two points.
  void Path(const Points& points, std::string_view style);
  std::string Finish() &&;

 private:
  std::string text_;
};

}  // namespace headgate::cli
