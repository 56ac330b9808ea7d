// Why a question of tenement's own was given up. One value for all: without a reason each abort makes an error with a stack of its
// own, which takes several times as long as the abort itself.

export const calledOff = new Error('called off')
