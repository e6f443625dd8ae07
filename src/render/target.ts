/** What a target is: another tool that can make the overlay, the files that it reads, and what it cannot say. */
import type { Desired } from '../model/desired.ts';
import type { Option, OverlayOptions } from '../model/options.ts';

/** One host, as far as it is known where the files are written. */
export interface RenderHost {
  /** As `resolve` gives it. On another machine its `device` and MTUs are guesses: see `device` and `options`. */
  readonly desired: Desired;
  /** Overlay → its options, to tell `mtu: auto` from a number and what was said from what is the default. */
  readonly options: ReadonlyMap<string, OverlayOptions>;
  /** The underlay device; null: `device: none`; undefined: neither the file nor this machine tells. */
  readonly device: string | null | undefined;
  /** Whether the file says so itself (`device`), not this machine: else a program had better look when it runs. */
  readonly named: boolean;
  /** The .network file by which systemd-networkd configures the device, read on this machine; null: not known. */
  readonly networkFile: string | null;
  /** netplan's ID of the device, read in this machine's files; null: not known, or not looked for. */
  readonly netplanId: string | null;
  /** The host's names that cloud-init or a script can be told by. */
  readonly hostname: string;
  readonly underlay: string;
}

export interface RenderContext {
  /** The fabric file's name, for the comments. */
  readonly file: string;
  /** What is in it. */
  readonly text: string;
  /** Of everlan, for the comments. */
  readonly version: string;
  /** `--underlay-id`: netplan's ID of the underlay device, or the name of its .network file. */
  readonly underlayId: string | null;
  /** `--package-url`. */
  readonly packageUrl: string | null;
}

export interface RenderedFile {
  /** Below the root folder, without a slash before it: `etc/systemd/network/60-everlan-vxlan0.netdev`. */
  readonly path: string;
  readonly text: string;
  /** Such as 0o644; 0o755 for programs; 0o600 where netplan wants it. */
  readonly mode: number;
}

export interface Rendered {
  readonly files: readonly RenderedFile[];
  /** What to do with the files, and what the tool does differently: a sentence each. */
  readonly notes: readonly string[];
}

/** `yes`; or why not, or what is said by other means than the tool's own words. */
export type Support = 'yes' | { readonly by: string } | { readonly no: string };

/** What a target cannot say of one overlay. */
export interface Unsaid {
  readonly overlay: string;
  readonly option: Option;
  readonly why: string;
}

export interface Target {
  readonly name: string;
  readonly summary: string;
  /** Completed for every option: the matrix in docs/targets.md comes from here. */
  readonly support: Readonly<Record<Option, Support>>;
  /** What is different beside the options, a sentence each. */
  readonly remarks?: readonly string[];
  /** What depends on the value: `more than one peer`, say. Beside what `support` refuses. */
  unsaid?(host: RenderHost): readonly Unsaid[];
  /** @throws EverlanError when something that it needs is not known, such as the device. */
  render(host: RenderHost, context: RenderContext): Rendered;
  /** One tree for all hosts, for a target that has such a thing. */
  renderAll?(hosts: readonly RenderHost[], context: RenderContext): Rendered;
}
