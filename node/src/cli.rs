//! The command line: what may be typed. Names and exit codes are fixed; scripts rely on them.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::{Companions, Moment, SegmentationForm, SegmentationKind};

use crate::asking::AskArgs;
use crate::dialing::Dialing;
use crate::peer::Peer;

/// The AI node of a DICOM network: studies in over C-STORE, segmentations and structured reports out. Not for diagnosis.
#[derive(Debug, Parser)]
#[command(name = "parsenode", version, propagate_version = true, max_term_width = 110)]
#[command(after_help = "\
Exit codes: 0 done, 64 misuse, 65 bad input, 69 a peer did not do its part, 70 our own fault, 74 disk, 78 configuration.
Start here: `parsenode config example > node.toml`, edit, `parsenode config check node.toml`, `parsenode serve --config node.toml`.")]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// How the log on stderr looks: `text` or `json`. `serve` takes it from its configuration where this is absent.
    #[arg(long, global = true, value_name = "FORM", value_parser = ["text", "json"])]
    pub(crate) log: Option<String>,
    /// What the log shows: error, warn, info, debug, trace, or per room as in `info,scp=debug`.
    #[arg(long, global = true, value_name = "LEVEL", value_parser = config::log_level)]
    pub(crate) log_level: Option<String>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs the node: receives, routes, infers, delivers, until SIGTERM or ctrl-c.
    Serve(ServeArgs),
    /// Runs a model over files and folders, without network: writes SEG, SR and overlay pictures.
    Run(Box<RunArgs>),
    /// Sends files and folders by C-STORE.
    Send(SendArgs),
    /// Asks a peer whether it is there (C-ECHO).
    Echo(EchoArgs),
    /// Receives everything and stores it in a folder: a plain archive to try things against.
    Listen(ListenArgs),
    /// Explains which rule would take which series, and why the others would not. Runs nothing.
    Route(RouteArgs),
    /// Checks a configuration, or prints a commented one.
    Config {
        /// What about the configuration.
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Looks at model folders.
    Model {
        /// What about models.
        #[command(subcommand)]
        command: ModelCommand,
    },
    /// Shows what promptable models were trained to find, and what words mean to them.
    Catalogue {
        /// What about the catalogue.
        #[command(subcommand)]
        command: CatalogueCommand,
    },
    /// Lists series, jobs and deliveries of a node, and why each is where it is.
    Status(StatusArgs),
    /// Shows a SEG or SR file: its segments, or its content as a tree.
    Show(ShowArgs),
    /// Prints a line for the file of users' passcodes; the passcode is typed, or read from stdin.
    Passcode(PasscodeArgs),
}

/// `serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The configuration; `parsenode config example` prints one.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
}

/// `run`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// DICOM files, or folders that are searched for them.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// The model's folder. Without it, and without --config, a built-in model is used: organs in CT and MR where something is
    /// asked, else tissue classes of a CT.
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    pub(crate) model: Option<PathBuf>,
    /// What a promptable model is asked.
    #[command(flatten)]
    pub(crate) ask: AskArgs,
    /// Takes models, prompts and rules from this configuration, and runs what the rules choose.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Where results go: OUT/SERIES-UID/MODEL/segmentation.dcm, report.dcm, overlay.png.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// How masks are written: binary is what every viewer shows, fractional has probabilities, labelmap one frame a slice.
    #[arg(long, value_name = "KIND", value_enum, default_value_t)]
    pub(crate) segmentation: Kind,
    /// Most frames of one Segmentation; more are split by segments.
    #[arg(long, value_name = "N")]
    pub(crate) frames_max: Option<NonZeroUsize>,
    /// Writes frames of slices without a segment, too.
    #[arg(long)]
    pub(crate) keep_empty_frames: bool,
    /// What is written beside SEG and SR, for viewers that show neither; may be repeated.
    #[arg(long, value_name = "KIND", value_enum, value_delimiter = ',')]
    pub(crate) companions: Vec<Companion>,
    /// When the analysis counts as begun, as 2026-11-24T10:15:00Z: with the same input, the same files come out. Without it: now.
    #[arg(long, value_name = "TIME")]
    pub(crate) started: Option<Started>,
    /// Leaves the overlay picture out.
    #[arg(long)]
    pub(crate) no_overlay: bool,
    /// ONNX Runtime's library, where it is not found by itself.
    #[arg(long, value_name = "FILE")]
    pub(crate) onnxruntime: Option<PathBuf>,
    /// Threads of the model; 0 takes all cores.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) threads: usize,
    /// Prints the outcome as JSON on stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `--segmentation`.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum Kind {
    /// BINARY.
    #[default]
    Binary,
    /// FRACTIONAL.
    Fractional,
    /// LABELMAP.
    Labelmap,
}

/// `--companions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Companion {
    /// A list of the results and of the images that show them best.
    KeyObjects,
    /// Masks drawn on chosen slices.
    SecondaryCapture,
    /// Outlines over the source images.
    PresentationState,
}

impl RunArgs {
    /// The companions that are asked for.
    pub(crate) fn companions(&self) -> Companions {
        let has = |companion| self.companions.contains(&companion);
        Companions {
            key_objects: has(Companion::KeyObjects),
            secondary_capture: has(Companion::SecondaryCapture),
            presentation_state: has(Companion::PresentationState),
            // Offline there is no earlier revision.
            rejection_note: false,
        }
    }

    /// The form that is asked for.
    pub(crate) fn form(&self) -> SegmentationForm {
        let kind = match self.segmentation {
            Kind::Binary => SegmentationKind::Binary,
            Kind::Fractional => SegmentationKind::Fractional,
            Kind::Labelmap => SegmentationKind::Labelmap,
        };
        let (frames_max, keep_empty_frames) = (self.frames_max, self.keep_empty_frames);
        SegmentationForm { kind, frames_max, keep_empty_frames }
    }
}

/// `--started`: a time in UTC.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Started(pub(crate) Moment);

impl FromStr for Started {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let moment = Moment::parse_utc(text);
        moment.map(Self).ok_or_else(|| "not of the form 2026-11-24T10:15:00Z".into())
    }
}

/// `send`.
#[derive(Debug, Args)]
pub(crate) struct SendArgs {
    /// The peer: its AE title, host and port.
    #[arg(value_name = "AE@HOST:PORT")]
    pub(crate) to: Peer,
    /// DICOM files, or folders that are searched for them.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// The AE title we call ourselves.
    #[arg(long, value_name = "TITLE", default_value = "PARSENODE")]
    pub(crate) calling: String,
    /// How the peer is reached.
    #[command(flatten)]
    pub(crate) dialing: Dialing,
    /// Prints the outcome of each instance as JSON on stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `echo`.
#[derive(Debug, Args)]
pub(crate) struct EchoArgs {
    /// The peer: its AE title, host and port.
    #[arg(value_name = "AE@HOST:PORT")]
    pub(crate) to: Peer,
    /// The AE title we call ourselves.
    #[arg(long, value_name = "TITLE", default_value = "PARSENODE")]
    pub(crate) calling: String,
    /// How the peer is reached.
    #[command(flatten)]
    pub(crate) dialing: Dialing,
}

/// `listen`.
#[derive(Debug, Args)]
pub(crate) struct ListenArgs {
    /// TCP port; 0 takes a free one and prints it.
    #[arg(value_name = "PORT")]
    pub(crate) port: u16,
    /// Where instances go: DIR/STUDY-UID/SERIES-UID/INSTANCE-UID.dcm.
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Our AE title. Without it every title that is called is ours.
    #[arg(long, value_name = "TITLE")]
    pub(crate) ae: Option<String>,
    /// The address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) host: String,
    /// Prints each instance that arrived as a line of JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `route`.
#[derive(Debug, Args)]
pub(crate) struct RouteArgs {
    /// DICOM files, or folders that are searched for them.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// The configuration with the rules.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Pretends that this AE title sent them.
    #[arg(long, value_name = "TITLE")]
    pub(crate) calling: Option<String>,
    /// Pretends that this AE title was called; the node's own without it.
    #[arg(long, value_name = "TITLE")]
    pub(crate) called: Option<String>,
    /// Prints the verdicts as JSON on stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `config …`.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Reads a configuration and loads its models: everything `serve` does except taking ports. Prints all faults.
    Check {
        /// The configuration.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Prints a configuration with every key and what it does.
    Example,
}

/// `model …`.
#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
    /// Lists the model folders in a folder.
    List {
        /// The folder that holds them.
        #[arg(value_name = "DIR")]
        dir: PathBuf,
        /// Prints JSON on stdout.
        #[arg(long)]
        json: bool,
    },
    /// Shows one model: what it takes, what it finds, who made it; or all that is wrong with it.
    Show {
        /// The model's folder.
        #[arg(value_name = "DIR")]
        dir: PathBuf,
    },
}

/// `catalogue …`.
#[derive(Debug, Subcommand)]
pub(crate) enum CatalogueCommand {
    /// Lists all object types with their codes, where they were trained and the published Dice.
    List,
    /// Shows what words mean: the prompt for the model, the code, the published Dice; or why they mean nothing.
    Find {
        /// Words in English, German, French, Spanish or Chinese, such as `IVC` or `linke Niere im CT`.
        #[arg(required = true, value_name = "WORDS")]
        words: Vec<String>,
    },
}

/// `status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// The node's configuration.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Prints JSON on stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The file.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// `passcode`.
#[derive(Debug, Args)]
pub(crate) struct PasscodeArgs {
    /// The name of the user.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}
