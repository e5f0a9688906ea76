//! From what was counted to the metrics.

use super::{Walker, shape, utf16};
use crate::{
    counts::{Part, Series, Share, Spread, Tally, ratio},
    sheet::Range,
    weight::Specificity,
};
use shape::{
    Comments, CustomProperties, Declarations, Importants, Metrics, Properties, Rules, SpecificityMetrics,
    Stylesheet,
};

impl Walker<'_> {
    pub(super) fn finish(mut self, comments: &[Range], keep: bool) -> Metrics {
        let selectors_total = self.selector_complexity.len();
        let declarations_total = self.declaration_complexity.len();
        let size = utf16(self.text);
        self.embedded.size.ratio = ratio(self.embedded.size.total, size);
        let types = &mut self.embedded.types;
        types.total_unique = types.unique.len();
        types.uniqueness_ratio = ratio(types.total_unique, types.total);

        let mut atrules = self.atrules;
        atrules.complexity = Spread::of(&self.atrule_complexity);
        atrules.nesting = Series::of(self.atrule_nesting, keep);
        atrules.keyframes.prefixed = Share::of(self.prefixed_keyframes, atrules.keyframes.all.total());
        atrules.keyframes.names = self.animation_names.settle();
        atrules.container.names.names = self.container_names.settle();
        atrules.layer.names = self.layer_names.settle();

        let mut selectors = self.selectors;
        selectors.total = selectors_total;
        selectors.total_unique = self.unique_selectors.len();
        selectors.uniqueness_ratio = ratio(selectors.total_unique, selectors_total);
        let all = std::mem::take(&mut selectors.specificity.all);
        selectors.specificity = specificity_metrics(self.specificities, all, keep);
        selectors.complexity = Series::of(self.selector_complexity, keep);
        selectors.nesting = Series::of(self.selector_nesting, keep);
        selectors.id = Share::of(self.ids, selectors_total);
        selectors.accessibility = Share::of(self.accessibility, selectors_total);
        selectors.prefixed = Share::of(self.prefixed_selectors, selectors_total);

        let declarations = Declarations {
            total: declarations_total,
            total_unique: self.unique_declarations.len(),
            uniqueness_ratio: ratio(self.unique_declarations.len(), declarations_total),
            importants: Importants {
                total: self.importants,
                ratio: ratio(self.importants, declarations_total),
                in_keyframes: Part::of(self.importants_in_keyframes, self.importants),
            },
            complexity: Spread::of(&self.declaration_complexity),
            nesting: Series::of(self.declaration_nesting, keep),
        };

        let total = self.properties.total();
        let custom_total = self.custom_properties.total();
        let properties = Properties {
            prefixed: Share::of(self.prefixed_properties, total),
            custom: CustomProperties {
                all: Share::of(self.custom_properties, total),
                names: self.custom_names.settle(),
                importants: Share::of(self.custom_importants, custom_total),
            },
            shorthands: Share::of(self.shorthands, total),
            browserhacks: Share::of(self.property_hacks, total),
            complexity: Spread::of(&self.property_complexity),
            anchor_names: self.anchor_names.settle(),
            all: self.properties,
        };

        let mut values = self.values;
        values.complexity = Spread::of(&self.value_complexity);
        let rules_total = self.rule_sizes.len();
        Metrics {
            stylesheet: Stylesheet {
                source_lines_of_code: atrules.all.total()
                    + selectors_total
                    + declarations_total
                    + selectors.keyframes.total(),
                lines_of_code: self.text.bytes().filter(|byte| *byte == b'\n').count() + 1,
                size,
                complexity: atrules.complexity.sum
                    + selectors.complexity.sum()
                    + declarations.complexity.sum
                    + properties.complexity.sum
                    + values.complexity.sum,
                comments: Comments {
                    total: comments.len(),
                    size: comments
                        .iter()
                        .map(|range| utf16(&self.text[range.0..range.1]))
                        .sum(),
                },
                embedded_content: self.embedded,
            },
            atrules,
            rules: Rules {
                total: rules_total,
                empty: Part::of(self.empty_rules, rules_total),
                sizes: Series::of(self.rule_sizes, keep),
                nesting: Series::of(self.rule_nesting, keep),
                selectors: Series::of(self.rule_selectors, keep),
                declarations: Series::of(self.rule_declarations, keep),
            },
            selectors,
            declarations,
            properties,
            values,
        }
    }
}

fn specificity_metrics(items: Vec<Specificity>, all: Tally, keep: bool) -> SpecificityMetrics {
    let component = |at: usize| Spread::of(&items.iter().map(|item| item[at]).collect::<Vec<_>>());
    let spreads = [component(0), component(1), component(2)];
    SpecificityMetrics {
        min: items.iter().min().copied().unwrap_or_default(),
        max: items.iter().max().copied().unwrap_or_default(),
        sum: spreads.map(|spread| spread.sum),
        mean: spreads.map(|spread| spread.mean),
        mode: spreads.map(|spread| spread.mode),
        items: keep.then_some(items),
        all,
    }
}
