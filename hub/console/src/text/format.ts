/// Times, days and numbers as people here read them; always the time of Asia/Shanghai, wherever the browser is.
import type { Schemas } from '@/api/client'
import { zh } from './zh'

const zone = 'Asia/Shanghai'
const dash = '—'

const parts = new Intl.DateTimeFormat('zh-CN', {
  timeZone: zone,
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
})

function local(at: Date): Record<string, string> {
  return Object.fromEntries(parts.formatToParts(at).map(({ type, value }) => [type, value]))
}

/// 2026-11-26 17:05:09
export function time(at: string | null | undefined): string {
  if (!at) return dash
  const { year, month, day, hour, minute, second } = local(new Date(at))
  return `${year}-${month}-${day} ${hour}:${minute}:${second}`
}

/// 2026-11-26
export function day(at: string | null | undefined): string {
  return at ? time(at).slice(0, 10) : dash
}

/// 3 分钟前
export function ago(at: string | null | undefined, now: number = Date.now()): string {
  if (!at) return zh.time.never
  const seconds = Math.max(0, Math.round((now - new Date(at).getTime()) / 1000))
  if (seconds < 60) return zh.time.now
  if (seconds < 3600) return zh.time.minutes(Math.floor(seconds / 60))
  if (seconds < 86_400) return zh.time.hours(Math.floor(seconds / 3600))
  return zh.time.days(Math.floor(seconds / 86_400))
}

/// 1.2 MB
export function size(bytes: number): string {
  const kilobytes = bytes / 1024
  return kilobytes < 1024 ? `${Math.max(1, Math.ceil(kilobytes))} KB` : `${(kilobytes / 1024).toFixed(1)} MB`
}

/// 2026-11, the month that it is now.
export function thisMonth(now: Date = new Date()): string {
  const { year, month } = local(now)
  return `${year}-${month}`
}

/// 2026-11-26, the day that it is now.
export function today(now: Date = new Date()): string {
  const { year, month, day } = local(now)
  return `${year}-${month}-${day}`
}

/// The month so many after another; negative for before.
export function monthAfter(month: string, months: number): string {
  const [year = 0, number = 1] = month.split('-').map(Number)
  const all = year * 12 + (number - 1) + months
  return `${Math.floor(all / 12)}-${String((all % 12) + 1).padStart(2, '0')}`
}

const whole = new Intl.NumberFormat('zh-CN', { maximumFractionDigits: 0 })
const fixed = new Intl.NumberFormat('zh-CN', { minimumFractionDigits: 2, maximumFractionDigits: 2 })

/// As the hub rounds what it prints and exports: what lies halfway in decimal goes away from 0.
function hundredths(value: number): string {
  const billionths = Math.round(Math.abs(value) * 1e9)
  return fixed.format((Math.sign(value) * Math.round(billionths / 1e7)) / 100 || 0)
}

const signed = (value: number, text: string): string => (value > 0 ? `+${text}` : text)

/// 12,345
export const count = (value: number | null | undefined): string => (value == null ? dash : whole.format(value))

/// 4.25
export const decimal = (value: number | null | undefined): string => (value == null ? dash : hundredths(value))

/// Fen as yuan.
export const yuan = (fen: number | null | undefined): string => (fen == null ? dash : hundredths(fen / 100))

/// 0.123 as 12.30%.
export const percent = (value: number | null | undefined): string => (value == null ? dash : `${hundredths(value * 100)}%`)

export type Unit = Schemas['StatisticsUnit']

/// A figure in the digits of its unit: those of the hub's own files and pages (`hub/src/statistics/digits.rs`).
export function written(value: number | null | undefined, unit: Unit): string {
  switch (unit) {
    case 'fen':
      return yuan(value)
    case 'rate':
      return percent(value)
    case 'per_ten_thousand':
    case 'score':
      return decimal(value)
    default:
      return count(value)
  }
}

/// What it is more or less than before: in days and points what lies between, otherwise a part of what was before.
export function changed(value: number | null | undefined, unit: Unit): string {
  if (value == null) return dash
  switch (unit) {
    case 'rate':
      return signed(value, zh.statistics.points(hundredths(value * 100)))
    case 'days':
      return signed(value, count(value))
    case 'score':
      return signed(value, decimal(value))
    default:
      return signed(value, percent(value))
  }
}
