// Reads /proc/PID/mountinfo (proc(5)): where something is mounted, and whether that mount may be written. Pure.
// The options of a mount are field 6; those of its file system come later and say nothing about this one place.

export interface MountPoint {
  readonly path: string
  readonly isWritable: boolean
}

export const parseMounts = (text: string): readonly MountPoint[] =>
  text
    .split('\n')
    .map((line) => line.split(' '))
    .flatMap(([, , , , path, options]) =>
      path === undefined || options === undefined
        ? []
        : [{ path: unescapePath(path), isWritable: options.split(',').includes('rw') }],
    )

/** Space, tab, line break and backslash are written as three octal digits. */
const unescapePath = (path: string): string =>
  path.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
