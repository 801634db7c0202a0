#include "cli/svg.h"

#include <fmt/format.h>

#include <iterator>

namespace headgate::cli {
namespace {

// Legible on paper and on any screen: a white ground, colours that the colour-blind can tell (Okabe
// and Ito 2008), and dashes where lines meet.
constexpr char kStyle[] =
    "text{font:13px system-ui,sans-serif;fill:#222}"
    ".title{font-size:17px;font-weight:600}.head{font-weight:600}"
    ".small{font-size:11px;fill:#555}.end{text-anchor:end}.mid{text-anchor:middle}"
    ".frame{fill:none;stroke:#999}.grid{stroke:#e3e3e3}.dark{fill:#e8e8e8}"
    ".commanded{stroke:#0072b2;stroke-width:2}.effective{stroke:#56b4e9;stroke-dasharray:5 3}"
    ".served{stroke:#009e73;stroke-width:1.5}.errors{stroke:#b34700}"
    ".slow{stroke:#7a5195;stroke-dasharray:3 2}.limit{stroke:#c00;stroke-dasharray:7 4}"
    ".utilisation{stroke:#8c6d00}.against{stroke:#c00;stroke-width:1.5}"
    ".favour{stroke:#009e73;stroke-width:1.5}.mark{stroke:#aaa;stroke-dasharray:2 3}"
    ".retreat{stroke:#c00}.badge{fill:#555}.bad{fill:#c00}.on{fill:#fff;font-size:11px}"
    "path{fill:none;stroke-linejoin:round}";

}  // namespace

std::string EscapeXml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c >= 0 && c < ' ' ? ' ' : c;
    }
  }
  return escaped;
}

Svg::Svg(double width, double height, std::string_view title)
    : text_(fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" "
                        "height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\">\n<title>{2}</title>\n"
                        "<style>{3}</style>\n",
                        width, height, EscapeXml(title), kStyle)) {
  Rectangle(0, 0, width, height, "fill=\"#fff\"");
}

void Svg::Line(double x1, double y1, double x2, double y2, std::string_view style) {
  fmt::format_to(std::back_inserter(text_),
                 "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" {}/>\n", x1, y1, x2,
                 y2, style);
}

void Svg::Rectangle(double x, double y, double width, double height, std::string_view style) {
  fmt::format_to(std::back_inserter(text_),
                 "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" {}/>\n", x, y,
                 width, height, style);
}

void Svg::Circle(double x, double y, double radius, std::string_view style) {
  fmt::format_to(std::back_inserter(text_),
                 "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\" {}/>\n", x, y, radius, style);
}

void Svg::Text(double x, double y, std::string_view text, std::string_view style) {
  fmt::format_to(std::back_inserter(text_), "<text x=\"{:.1f}\" y=\"{:.1f}\" {}>{}</text>\n", x, y,
                 style, EscapeXml(text));
}

void Svg::Path(const Points& points, std::string_view style) {
  if (points.size() < 2) return;
  std::string way;
  for (const auto& [x, y] : points) {
    fmt::format_to(std::back_inserter(way), "{}{:.1f} {:.1f}", way.empty() ? 'M' : 'L', x, y);
  }
  fmt::format_to(std::back_inserter(text_), "<path d=\"{}\" {}/>\n", way, style);
}

std::string Svg::Finish() && { return std::move(text_) + "</svg>\n"; }

}  // namespace headgate::cli
