import { expect, test } from 'vitest'
import { strengthOf } from './strength'

const names = ['zhang.san', '张三丰', 'hzgl', null]
const of = (password: string) => strengthOf(password, names)

test('what the hub refuses has no strength, and why is said', () => {
  for (const [password, fault] of [
    ['', 'short'],
    ['eleven char', 'short'],
    ['长口令一二三四五六七八', 'short'],
    ['x'.repeat(129), 'long'],
    ['AAAAAAAAAAAAAAA', 'pattern'],
    ['121212121212', 'pattern'],
    ['abcdefghijklm', 'pattern'],
    ['7890123456789', 'pattern'],
    ['Zhang.San-2026', 'names'],
    ['hzgl-hzgl-hzgl-1', 'names'],
  ] as const) {
    expect(of(password), password).toEqual({ level: 0, fault })
  }
})

test('length and variety make it stronger, whatever the alphabet', () => {
  expect(of('horse battery').level).toBe(1)
  expect(of('西湖边上的长口令一二三四').level).toBe(1)
  expect(of('correct horse bat').level).toBe(2)
  expect(of('correct horse battery staple').level).toBe(3)
})
