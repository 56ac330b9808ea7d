// Go and Rust: programs that are compiled first. What is served is the compiled program, never the compiler.
import { parse } from 'smol-toml'
import { isRecord } from '../../control/decode.ts'
import { type Folder, isPlain } from './folder.ts'
import type { Found } from './found.ts'

/** 'github.com/acme/shop/v2' is called shop. */
const goName = (module: string): string | undefined =>
  module
    .split('/')
    .filter((part) => !/^v\d+$/.test(part))
    .at(-1)

const isMain = (text: string | undefined): boolean => /^package main\b/m.test(text ?? '')

/** The folder of the main package, '.' or 'cmd/shop', and its file. */
const findMain = async (folder: Folder): Promise<{ readonly at: string; readonly file: string } | undefined> => {
  for (const file of (await folder.names()).filter((name) => name.endsWith('.go') && isPlain(name)))
    if (isMain(await folder.text(file))) return { at: '.', file }
  for (const name of (await folder.names('cmd')).filter(isPlain))
    if (isMain(await folder.text(`cmd/${name}/main.go`))) return { at: `./cmd/${name}`, file: `cmd/${name}/main.go` }
  return undefined
}

export const findGo = async (folder: Folder): Promise<Found | undefined> => {
  const module = /^module\s+"?([^\s"]+)/m.exec((await folder.text('go.mod')) ?? '')?.[1]
  const main = module === undefined ? undefined : await findMain(folder)
  if (module === undefined || main === undefined) return undefined
  const name = (main.at === '.' ? goName(module) : main.at.split('/').at(-1)) ?? 'app'
  if (!isPlain(name)) return undefined
  return {
    language: 'Go',
    because: `go.mod is there, and ${main.file} is package main`,
    name,
    command: [`./${name}`],
    env: {},
    entry: main.file,
    steps: [`go build -o ${name} ${main.at}`],
  }
}

const readToml = (text: string | undefined): unknown => {
  try {
    return parse(text ?? '')
  } catch {
    return undefined // not for cargo to build either
  }
}

const nameIn = (table: unknown): string | undefined =>
  isRecord(table) && typeof table.name === 'string' && isPlain(table.name) ? table.name : undefined

export const findRust = async (folder: Folder): Promise<Found | undefined> => {
  const manifest = readToml(await folder.text('Cargo.toml'))
  if (!isRecord(manifest)) return undefined
  const [first] = Array.isArray(manifest.bin) ? manifest.bin : []
  const name = nameIn(first) ?? nameIn(manifest.package)
  if (name === undefined) return undefined
  return {
    language: 'Rust',
    because: 'Cargo.toml is there',
    name,
    command: [`./target/release/${name}`],
    env: {},
    entry: 'src/main.rs',
    steps: ['cargo build --release'],
  }
}
