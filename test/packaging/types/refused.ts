// What the editor of an adapter's author must refuse: each line below a directive is an error, or the directive is one.
import { defineAdapter, type Launch, type LaunchPlan } from 'tenement/plugin'

declare const launchOf: (plan: LaunchPlan) => Launch
const usable = () => ({ usable: true, lost: [] })

// @ts-expect-error another version
defineAdapter({ name: 'a', apiVersion: 2, capabilities: {}, probe: usable, prepare: launchOf })

// @ts-expect-error a promise that there is not
defineAdapter({ name: 'a', apiVersion: 1, capabilities: { 'fs.magic': 'enforced' }, probe: usable, prepare: launchOf })

// @ts-expect-error a strength that there is not
defineAdapter({ name: 'a', apiVersion: 1, capabilities: { 'net.private': true }, probe: usable, prepare: launchOf })

// @ts-expect-error nothing that makes a launch
defineAdapter({ name: 'a', apiVersion: 1, capabilities: {}, probe: usable })

// @ts-expect-error a need that there is not
defineAdapter({ name: 'a', apiVersion: 1, capabilities: {}, needs: ['speed'], probe: usable, prepare: launchOf })

// @ts-expect-error a key that there is not
defineAdapter({ name: 'a', apiVersion: 1, capabilities: {}, privledged: true, probe: usable, prepare: launchOf })

// @ts-expect-error a probe that does not say what is lost
defineAdapter({ name: 'a', apiVersion: 1, capabilities: {}, probe: () => ({ usable: true }), prepare: launchOf })

defineAdapter({
  name: 'a',
  apiVersion: 1,
  capabilities: {},
  probe: usable,
  prepare: (plan) => ({
    ...launchOf(plan),
    // @ts-expect-error a command as one text, which somebody would have to split
    argv: 'runc run',
  }),
})

defineAdapter({
  name: 'a',
  apiVersion: 1,
  capabilities: {},
  probe: usable,
  prepare: (plan) => {
    // @ts-expect-error options of an adapter that declares none
    const { runtime } = plan.options.anything.more
    // @ts-expect-error a plan is not the adapter's to change
    plan.cwd = runtime
    return launchOf(plan)
  },
})

defineAdapter({
  name: 'a',
  apiVersion: 1,
  capabilities: {},
  probe: usable,
  // @ts-expect-error a launch without a word on where it listens
  prepare: ({ argv, env, cwd, identity }) => ({
    ...{
      argv,
      env,
      cwd,
      identity,
      umask: 0,
      directories: [],
      descriptors: [],
      limits: {},
      resources: {},
      depth: 0 as const,
    },
  }),
})
