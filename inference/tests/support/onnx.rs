//! Writes small ONNX files: just enough of protocol buffers, and of ONNX's `ModelProto`, for graphs of a few nodes.

/// A message of protocol buffers in the making.
#[derive(Debug, Clone, Default)]
pub(crate) struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value > 0x7f {
            self.0.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
            value >>= 7;
        }
        self.0.push(u8::try_from(value).unwrap());
    }

    fn number(mut self, field: u64, value: u64) -> Self {
        self.varint(field << 3);
        self.varint(value);
        self
    }

    fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
        self
    }

    fn text(self, field: u64, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    fn message(self, field: u64, value: &Self) -> Self {
        self.bytes(field, &value.0)
    }

    fn messages(self, field: u64, values: impl IntoIterator<Item = Self>) -> Self {
        values.into_iter().fold(self, |message, value| message.message(field, &value))
    }
}

/// Element types of tensors, as ONNX numbers them.
pub(crate) const FLOAT: u64 = 1;
pub(crate) const INT64: u64 = 7;
pub(crate) const DOUBLE: u64 = 11;

/// A dimension: a number, or a name for one that is open.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Dim {
    Fixed(u64),
    Open(&'static str),
}

/// A graph in the making.
#[derive(Debug, Clone, Default)]
pub(crate) struct Graph {
    nodes: Vec<Message>,
    constants: Vec<Message>,
    inputs: Vec<Message>,
    outputs: Vec<Message>,
}

impl Graph {
    pub(crate) fn node(mut self, op: &str, inputs: &[&str], output: &str) -> Self {
        let node = inputs.iter().fold(Message::default(), |node, input| node.text(1, input));
        self.nodes.push(node.text(2, output).text(3, output).text(4, op));
        self
    }

    /// A node with one attribute that is a list of whole numbers.
    pub(crate) fn node_with(
        mut self,
        op: &str,
        inputs: &[&str],
        output: &str,
        attribute: (&str, &[u64]),
    ) -> Self {
        let node = inputs.iter().fold(Message::default(), |node, input| node.text(1, input));
        let start = Message::default().text(1, attribute.0).number(20, 7);
        let list = attribute.1.iter().fold(start, |list, n| list.number(8, *n));
        self.nodes.push(node.text(2, output).text(3, output).text(4, op).message(5, &list));
        self
    }

    pub(crate) fn constant(mut self, name: &str, dims: &[u64], values: &[f32]) -> Self {
        let tensor = dims.iter().fold(Message::default(), |tensor, n| tensor.number(1, *n));
        let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constants.push(tensor.number(2, FLOAT).text(8, name).bytes(9, &raw));
        self
    }

    pub(crate) fn input(mut self, name: &str, element: u64, dims: &[Dim]) -> Self {
        self.inputs.push(value_info(name, element, dims));
        self
    }

    pub(crate) fn output(mut self, name: &str, element: u64, dims: &[Dim]) -> Self {
        self.outputs.push(value_info(name, element, dims));
        self
    }

    /// The bytes of the ONNX file.
    pub(crate) fn file(self) -> Vec<u8> {
        let graph = Message::default()
            .messages(1, self.nodes)
            .text(2, "test")
            .messages(5, self.constants)
            .messages(11, self.inputs)
            .messages(12, self.outputs);
        let operators = Message::default().text(1, "").number(2, 17);
        Message::default().number(1, 8).message(7, &graph).message(8, &operators).0
    }
}

fn value_info(name: &str, element: u64, dims: &[Dim]) -> Message {
    let dims = dims.iter().map(|dim| match dim {
        Dim::Fixed(n) => Message::default().number(1, *n),
        Dim::Open(name) => Message::default().text(2, name),
    });
    let shape = Message::default().messages(1, dims);
    let tensor = Message::default().number(1, element).message(2, &shape);
    Message::default().text(1, name).message(2, &Message::default().message(1, &tensor))
}

/// N, C and `rank` dimensions of space, those of space open.
pub(crate) fn open(batch: Dim, channels: u64, rank: usize) -> Vec<Dim> {
    let space = ["d", "h", "w"].map(Dim::Open);
    [[batch, Dim::Fixed(channels)].as_slice(), &space[3 - rank..]].concat()
}

/// A convolution of one channel by 1 x 1 (x 1): channel c is `weights[c] * x + biases[c]`, voxel by voxel.
pub(crate) fn pointwise(rank: usize, weights: &[f32], biases: &[f32]) -> Vec<u8> {
    pointwise_of(Dim::Open("n"), rank, weights, biases)
}

/// The same with a batch of one's choice.
pub(crate) fn pointwise_of(batch: Dim, rank: usize, weights: &[f32], biases: &[f32]) -> Vec<u8> {
    let channels = weights.len() as u64;
    let dims = [[channels, 1].as_slice(), &[1; 3][..rank]].concat();
    Graph::default()
        .input("x", FLOAT, &open(batch, 1, rank))
        .constant("w", &dims, weights)
        .constant("b", &[channels], biases)
        .node("Conv", &["x", "w", "b"], "y")
        .output("y", FLOAT, &open(batch, channels, rank))
        .file()
}

/// The sum over 3 planes (zeros beyond the ends) minus `bias`, and 0, as channels 1 and 0.
pub(crate) fn three_planes(bias: f32) -> Vec<u8> {
    Graph::default()
        .input("x", FLOAT, &open(Dim::Fixed(1), 1, 3))
        .constant("w", &[2, 1, 3, 1, 1], &[0.0, 0.0, 0.0, 1.0, 1.0, 1.0])
        .constant("b", &[2], &[0.0, -bias])
        .node_with("Conv", &["x", "w", "b"], "y", ("pads", &[1, 0, 0, 1, 0, 0]))
        .output("y", FLOAT, &open(Dim::Fixed(1), 2, 3))
        .file()
}
