import { existsSync, readFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { makeShared, readShared } from '../../../src/attack/programs/shared.ts'
import { newSharedNames, removeSharedObjects } from '../../../src/proof/sharedObjects.ts'

const uid = process.getuid?.() ?? 0

const countOf = (key: number): number =>
  ['shm', 'sem', 'msg'].filter((kind) =>
    new RegExp(`^ *${key} `, 'm').test(readFileSync(`/proc/sysvipc/${kind}`, 'latin1')),
  ).length

test('what a neighbour left is removed, though it never removed anything itself', () => {
  const names = newSharedNames(`tenement-shared-test-${process.pid}`)
  onTestFinished(() => removeSharedObjects(names, uid))
  makeShared(names, 'left')
  expect([countOf(names.key), existsSync(`/dev/shm/${names.name}`)]).toEqual([3, true])
  removeSharedObjects(names, uid)
  expect([countOf(names.key), existsSync(`/dev/shm/${names.name}`)]).toEqual([0, false])
})

test('objects of another owner stay, whatever their key', () => {
  const names = newSharedNames(`tenement-shared-test-${process.pid}`)
  onTestFinished(() => removeSharedObjects(names, uid))
  makeShared(names, 'mine')
  removeSharedObjects({ ...names, name: `${names.name}-of-another` }, uid + 1)
  expect(readShared(names, 4)).toEqual(['mine', 'mine'])
})

test('removing what is not there is no error', () => {
  removeSharedObjects(newSharedNames(`tenement-shared-test-${process.pid}`), uid)
})

test('keys are not those of the last attack', () => {
  const keys = Array.from({ length: 20 }, () => newSharedNames('x').key)
  expect(new Set(keys).size).toBeGreaterThan(18)
})
