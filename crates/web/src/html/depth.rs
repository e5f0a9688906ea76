//! How deep the tree builder nests a page: it runs over the page in small pieces and keeps nothing but depths.

use std::{borrow::Cow, cell::Cell, rc::Rc};

use html5ever::{
    Attribute, QualName,
    interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink},
    parse_document,
    tendril::{StrTendril, TendrilSink as _},
};

/// Bytes given to the tree builder at a time; afterwards the limits are looked at.
const PIECE: usize = 4096;

/// What was found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Depth {
    /// Elements inside each other, at most.
    pub(super) deepest: usize,
    /// The depths of all elements together: about the steps that a tree builder takes.
    pub(super) work: u64,
}

/// Builds the page until it ends or is over one of the limits.
pub(super) fn measure(html: &str, limits: Depth) -> Depth {
    let found = Rc::new(Cell::new(Depth::default()));
    let sink = Sink {
        document: Node::document(),
        found: Rc::clone(&found),
    };
    let mut parser = parse_document(sink, html5ever::ParseOpts::default());
    let mut rest = html;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(PIECE.min(rest.len())).max(first(rest)));
        parser.process(StrTendril::from_slice(piece));
        rest = after;
        let now = found.get();
        if now.deepest > limits.deepest || now.work > limits.work {
            break;
        }
    }
    found.get()
}

fn first(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

#[derive(Debug)]
struct Node {
    name: QualName,
    depth: Cell<usize>,
    /// Whether it is an `annotation-xml` that holds HTML.
    html_inside: bool,
}

impl Node {
    fn new(name: QualName, depth: usize, html_inside: bool) -> Rc<Self> {
        Rc::new(Self {
            name,
            depth: Cell::new(depth),
            html_inside,
        })
    }

    /// The document, and what is no element: nothing asks for their names.
    fn document() -> Rc<Self> {
        Self::new(
            QualName::new(None, html5ever::ns!(), html5ever::local_name!("")),
            0,
            false,
        )
    }
}

struct Sink {
    document: Rc<Node>,
    found: Rc<Cell<Depth>>,
}

impl Sink {
    fn place(&self, child: NodeOrText<Rc<Node>>, depth: usize) {
        let NodeOrText::AppendNode(node) = child else {
            return;
        };
        node.depth.set(depth);
        let found = self.found.get();
        self.found.set(Depth {
            deepest: found.deepest.max(depth),
            work: found.work.saturating_add(depth as u64),
        });
    }
}

impl TreeSink for Sink {
    type Handle = Rc<Node>;
    type Output = ();
    type ElemName<'a> = &'a QualName;

    fn finish(self) {}

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> Rc<Node> {
        Rc::clone(&self.document)
    }

    fn elem_name<'a>(&'a self, target: &'a Rc<Node>) -> &'a QualName {
        &target.name
    }

    fn create_element(&self, name: QualName, _: Vec<Attribute>, flags: ElementFlags) -> Rc<Node> {
        Node::new(name, 0, flags.mathml_annotation_xml_integration_point)
    }

    fn create_comment(&self, _: StrTendril) -> Rc<Node> {
        Node::document()
    }

    fn create_pi(&self, _: StrTendril, _: StrTendril) -> Rc<Node> {
        Node::document()
    }

    fn append(&self, parent: &Rc<Node>, child: NodeOrText<Rc<Node>>) {
        self.place(child, parent.depth.get() + 1);
    }

    fn append_based_on_parent_node(&self, _: &Rc<Node>, previous: &Rc<Node>, child: NodeOrText<Rc<Node>>) {
        // In the place of a table, which stands at most as deep as this.
        self.place(child, previous.depth.get() + 1);
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    fn get_template_contents(&self, target: &Rc<Node>) -> Rc<Node> {
        Rc::clone(target)
    }

    fn same_node(&self, one: &Rc<Node>, two: &Rc<Node>) -> bool {
        Rc::ptr_eq(one, two)
    }

    fn set_quirks_mode(&self, _: QuirksMode) {}

    fn append_before_sibling(&self, sibling: &Rc<Node>, child: NodeOrText<Rc<Node>>) {
        self.place(child, sibling.depth.get());
    }

    fn add_attrs_if_missing(&self, _: &Rc<Node>, _: Vec<Attribute>) {}

    fn remove_from_parent(&self, _: &Rc<Node>) {}

    fn reparent_children(&self, _: &Rc<Node>, _: &Rc<Node>) {}

    fn is_mathml_annotation_xml_integration_point(&self, node: &Rc<Node>) -> bool {
        node.html_inside
    }
}
