//! Draws the icon: a disc in the colour of the status with a sign on it, which is distinguishable without colours. Any
//! size, because trays request several.

/// Sign of the icon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Icon {
    /// Unknown, because the agent is not connected or has no status yet: a ring.
    #[default]
    Unknown,
    /// A check mark.
    Available,
    /// No sign.
    Busy,
    /// A bar.
    DoNotDisturb,
    /// Hands of a clock.
    Away,
    /// A cross.
    Offline,
}

/// Red, green, blue, opacity.
type Colour = [u8; 4];

const NOTHING: Colour = [0; 4];
const WHITE: Colour = [0xff; 4];
const GREEN: Colour = [0x1b, 0x87, 0x3b, 0xff];
const RED: Colour = [0xc4, 0x2b, 0x2b, 0xff];
const YELLOW: Colour = [0xb0, 0x74, 0x00, 0xff];
const GREY: Colour = [0x75, 0x75, 0x75, 0xff];

/// Radius of the disc, where the icon is 2 wide.
const DISC: f32 = 0.94;
/// Half the width of a line.
const LINE: f32 = 0.13;
/// Number of samples per pixel in each direction.
const SAMPLES: usize = 4;

/// Line between two points; the centre of the icon is at 0, its edges are at -1 and 1, down is positive.
type Line = [(f32, f32); 2];

const HOOK: [Line; 2] = [
    [(-0.45, 0.05), (-0.12, 0.38)],
    [(-0.12, 0.38), (0.48, -0.32)],
];
const BAR: [Line; 1] = [[(-0.45, 0.0), (0.45, 0.0)]];
const HANDS: [Line; 2] = [[(0.0, -0.5), (0.0, 0.0)], [(0.0, 0.0), (0.36, 0.22)]];
const CROSS: [Line; 2] = [
    [(-0.34, -0.34), (0.34, 0.34)],
    [(-0.34, 0.34), (0.34, -0.34)],
];

impl Icon {
    /// Icon of a status by its name.
    pub fn of_status(status: &str) -> Self {
        match status {
            "Available" => Self::Available,
            "Busy" => Self::Busy,
            "DoNotDisturb" => Self::DoNotDisturb,
            "BeRightBack" | "Absent" => Self::Away,
            "Offline" => Self::Offline,
            _ => Self::Unknown,
        }
    }

    const fn colour(self) -> Colour {
        match self {
            Self::Available => GREEN,
            Self::Busy | Self::DoNotDisturb => RED,
            Self::Away => YELLOW,
            Self::Unknown | Self::Offline => GREY,
        }
    }

    const fn sign(self) -> &'static [Line] {
        match self {
            Self::Unknown | Self::Busy => &[],
            Self::Available => &HOOK,
            Self::DoNotDisturb => &BAR,
            Self::Away => &HANDS,
            Self::Offline => &CROSS,
        }
    }

    /// Colour at a point.
    fn at(self, x: f32, y: f32) -> Colour {
        let from_middle = x.hypot(y);
        let is_hollow = self == Self::Unknown && from_middle < DISC - 2.5 * LINE;
        if from_middle > DISC || is_hollow {
            return NOTHING;
        }
        let is_sign = self.sign().iter().any(|line| distance(*line, x, y) < LINE);
        if is_sign { WHITE } else { self.colour() }
    }

    /// Pixels row by row from the top: red, green, blue and opacity.
    pub fn rgba(self, size: u16) -> Vec<u8> {
        let size = usize::from(size);
        let points = (0..size).flat_map(|row| (0..size).map(move |column| (column, row)));
        points
            .flat_map(|(column, row)| self.point(column, row, size))
            .collect()
    }

    /// Colour of a pixel: mean of its samples.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "icons are small"
    )]
    fn point(self, column: usize, row: usize, size: usize) -> Colour {
        let place = |at: usize, sample: usize| {
            let at = at as f32 + (sample as f32 + 0.5) / SAMPLES as f32;
            at * 2.0 / size as f32 - 1.0
        };
        let mut sum = [0u32; 4];
        for sample in 0..SAMPLES * SAMPLES {
            let (x, y) = (
                place(column, sample % SAMPLES),
                place(row, sample / SAMPLES),
            );
            let [red, green, blue, opacity] = self.at(x, y).map(u32::from);
            // Transparent samples have no colour.
            for (sum, part) in
                sum.iter_mut()
                    .zip([red * opacity, green * opacity, blue * opacity, opacity])
            {
                *sum += part;
            }
        }
        let opacity = sum[3];
        let colour = |sum: u32| sum.checked_div(opacity).unwrap_or(0) as u8;
        let samples = (SAMPLES * SAMPLES) as u32;
        [
            colour(sum[0]),
            colour(sum[1]),
            colour(sum[2]),
            (opacity / samples) as u8,
        ]
    }
}

/// Distance of a point from a line.
fn distance([from, to]: Line, x: f32, y: f32) -> f32 {
    let (along_x, along_y) = (to.0 - from.0, to.1 - from.1);
    let (x, y) = (x - from.0, y - from.1);
    let length = along_x * along_x + along_y * along_y;
    let part = ((x * along_x + y * along_y) / length).clamp(0.0, 1.0);
    (x - part * along_x).hypot(y - part * along_y)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Icon; 6] = [
        Icon::Unknown,
        Icon::Available,
        Icon::Busy,
        Icon::DoNotDisturb,
        Icon::Away,
        Icon::Offline,
    ];

    fn point(picture: &[u8], size: usize, column: usize, row: usize) -> &[u8] {
        &picture[4 * (row * size + column)..][..4]
    }

    #[test]
    fn icons_differ_without_their_colours() {
        let shapes: Vec<Vec<bool>> = ALL
            .map(|icon| {
                let picture = icon.rgba(22);
                let points = picture.chunks(4);
                let is_plain = |point: &[u8]| point[3] < 128 || point[..3] == [0xff; 3];
                points.map(is_plain).collect()
            })
            .into();
        for (one, shape) in shapes.iter().enumerate() {
            assert!(!shapes[..one].contains(shape), "{:?}", ALL[one]);
        }
    }

    #[test]
    fn an_icon_is_a_disc_with_nothing_around() {
        for icon in ALL {
            for size in [1, 16, 22, 64] {
                assert_eq!(icon.rgba(size).len(), 4 * usize::from(size).pow(2));
            }
            let picture = icon.rgba(32);
            assert_eq!(point(&picture, 32, 0, 0), NOTHING, "{icon:?}");
            assert_eq!(point(&picture, 32, 16, 1)[3], 0xff, "{icon:?}");
        }
        let middle = |icon: Icon| point(&icon.rgba(32), 32, 16, 16).to_vec();
        assert_eq!(middle(Icon::Busy), RED);
        assert_eq!(middle(Icon::DoNotDisturb), WHITE);
        assert_eq!(middle(Icon::Unknown), NOTHING);
    }
}
