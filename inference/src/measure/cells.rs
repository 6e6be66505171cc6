//! The surface mesh within one cell: eight neighbouring voxel centres, inside or outside, and the
//! polygons that part them.
//!
//! The mesh has its vertices in the middle of the cell's edges that lead from inside to outside. On
//! each face of the cell they are joined by lines; where all four edges of a face are crossed
//! (opposite corners inside), each corner that is inside is cut off by itself. That depends on the
//! face alone, so the meshes of neighbouring cells meet and the whole is closed.
//!
//! The lines close to polygons. One that is not flat can be filled by triangles in several ways, and
//! the areas differ. We take the way that would be largest on a cubic grid, whatever the spacing: the
//! published tables do so in every cell without such a face, and areas are there to be compared.

use std::sync::LazyLock;

/// Which corners are inside: bit `x + 2y + 4z` for the corner with these indices, 0 or 1 each.
pub(super) type Case = u8;

/// A vertex in half voxels from corner 0: indices along x, y, z, each 0, 1 or 2.
type Vertex = [u8; 3];

/// The polygons of a case.
type Polygons = Vec<Vec<Vertex>>;

static POLYGONS: LazyLock<Vec<Polygons>> =
    LazyLock::new(|| (0..=Case::MAX).map(polygons).collect());

/// Area of the mesh within a cell, in mm².
pub(super) fn area_mm2(case: Case, spacing_mm: [f64; 3]) -> f64 {
    let filled = |polygon: &Vec<Vertex>| fill(polygon, spacing_mm).mm2;
    POLYGONS[usize::from(case)].iter().map(filled).sum()
}

/// Joins the lines of the six faces.
fn polygons(case: Case) -> Polygons {
    let mut lines: Vec<[Vertex; 2]> = (0..6).flat_map(|face| lines_on(face, case)).collect();
    let mut polygons = Vec::new();
    while let Some([first, mut at]) = lines.pop() {
        let mut polygon = vec![first];
        while at != first {
            polygon.push(at);
            // Each vertex is the end of two lines, one on each face of its edge.
            let Some(next) = lines.iter().position(|line| line.contains(&at)) else { break };
            let [a, b] = lines.swap_remove(next);
            at = if a == at { b } else { a };
        }
        polygons.push(polygon);
    }
    polygons
}

/// The lines on a face: axis 0 to 2, and 3 more for the far side.
fn lines_on(face: usize, case: Case) -> Vec<[Vertex; 2]> {
    let (axis, far) = (face % 3, face / 3);
    let [a, b] = [1 << ((axis + 1) % 3), 1 << ((axis + 2) % 3)];
    let around = [0, a, a | b, b].map(|corner: usize| corner | far << axis);
    let inside = |n: usize| case >> around[n % 4] & 1 == 1;
    let edge = |n: usize| middle(around[n % 4], around[(n + 1) % 4]);
    let crossed: Vec<usize> = (0..4).filter(|n| inside(*n) != inside(n + 1)).collect();
    match crossed[..] {
        [one, other] => vec![[edge(one), edge(other)]],
        [_, _, _, _] => (0..4).filter(|n| inside(*n)).map(|n| [edge(n + 3), edge(n)]).collect(),
        _ => Vec::new(),
    }
}

/// The vertex between two corners.
fn middle(a: usize, b: usize) -> Vertex {
    let bit = |corner: usize, axis: u8| u8::from(corner >> axis & 1 == 1);
    [0, 1, 2].map(|axis| bit(a, axis) + bit(b, axis))
}

/// The areas of some triangles.
#[derive(Debug, Clone, Copy, Default)]
struct Areas {
    /// With spacings of 1: what is chosen by.
    cubic: f64,
    /// What is asked for.
    mm2: f64,
}

impl Areas {
    fn plus(self, other: Self) -> Self {
        Self { cubic: self.cubic + other.cubic, mm2: self.mm2 + other.mm2 }
    }

    /// The one that is larger on a cubic grid; of equal ones, which are mirror images, the smaller.
    fn or(self, other: Self) -> Self {
        let apart = self.cubic - other.cubic;
        let is_better = if apart.abs() < 1e-9 { self.mm2 < other.mm2 } else { apart > 0.0 };
        if is_better { self } else { other }
    }
}

/// The triangles that fill a polygon.
fn fill(polygon: &[Vertex], spacing_mm: [f64; 3]) -> Areas {
    let count = polygon.len();
    // best[from][to]: of the part of the polygon from one vertex to another.
    let mut best = vec![vec![Areas::default(); count]; count];
    for apart in 2..count {
        for from in 0..count - apart {
            let to = from + apart;
            let by = |third: usize| {
                let triangle = [polygon[from], polygon[third], polygon[to]];
                let areas = Areas {
                    cubic: triangle_area(triangle, [1.0; 3]),
                    mm2: triangle_area(triangle, spacing_mm),
                };
                best[from][third].plus(best[third][to]).plus(areas)
            };
            best[from][to] = (from + 1..to).map(by).reduce(Areas::or).unwrap_or_default();
        }
    }
    best.first().and_then(|row| row.last()).copied().unwrap_or_default()
}

fn triangle_area(triangle: [Vertex; 3], spacing_mm: [f64; 3]) -> f64 {
    let place =
        |vertex: Vertex| [0, 1, 2].map(|axis| f64::from(vertex[axis]) * spacing_mm[axis] / 2.0);
    let [a, b, c] = triangle.map(place);
    domain::norm(domain::cross(domain::sub(b, a), domain::sub(c, a))) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(case: Case, wanted: f64) {
        let got = area_mm2(case, [1.0; 3]);
        assert!((got - wanted).abs() < 1e-12, "{case:08b}: {got} {wanted}");
    }

    #[test]
    fn simple_cases_have_the_areas_of_their_figures() {
        let corner = 3.0_f64.sqrt() / 8.0;
        check(0, 0.0);
        check(0xff, 0.0);
        check(0b1, corner);
        check(0b1111_1110, corner);
        check(0b1111, 1.0);
        check(0b11, 0.5_f64.sqrt());
        // Opposite corners of a face, and of the cell: each by itself.
        check(0b1001, 2.0 * corner);
        check(0b1000_0001, 2.0 * corner);
        // A corner and its three neighbours: a regular hexagon.
        check(0b1_0111, 6.0 * corner);
        // Three corners of a face: half a face, and a trapezoid from its diagonal.
        check(0b111, 0.5 + 3.0 * 3.0_f64.sqrt() / 8.0);
        // Four corners, no two of them neighbours.
        check(0b1001_0110, 4.0 * corner);
    }

    #[test]
    fn each_crossed_edge_is_a_vertex_once() {
        for case in 0..=Case::MAX {
            let mut vertices: Vec<Vertex> = polygons(case).into_iter().flatten().collect();
            let count = vertices.len();
            vertices.sort_unstable();
            vertices.dedup();
            assert_eq!(vertices.len(), count, "{case:08b}");
            let set = |corner: usize| case >> corner & 1;
            let edges = (0..8).flat_map(|corner| [1, 2, 4].map(|bit| (corner, corner | bit)));
            let crossed = edges.filter(|(a, b)| a != b && set(*a) != set(*b));
            let mut wanted: Vec<Vertex> = crossed.map(|(a, b)| middle(a, b)).collect();
            wanted.sort_unstable();
            assert_eq!(vertices, wanted, "{case:08b}");
        }
    }

    #[test]
    fn a_turned_cell_has_the_same_area() {
        // x becomes y, y becomes z, z becomes x.
        let turned = |case: Case| {
            let corner = |n: usize| (n << 1 | n >> 2) & 7;
            (0..8).filter(|n| case >> n & 1 == 1).fold(0, |all, n| all | 1_u8 << corner(n))
        };
        for case in 0..=Case::MAX {
            let before = area_mm2(case, [0.5, 0.75, 2.0]);
            let after = area_mm2(turned(case), [2.0, 0.5, 0.75]);
            assert!((before - after).abs() < 1e-12, "{case:08b}");
        }
    }
}
