// Room `embedded`: mingo's operators, and better ones where it computes something else than MongoDB does: comparisons
// inside of expressions, which know an order of all types (a missing or null field lies before every date), and $max,
// which passes over what is missing.
import { Context, evalExpr } from 'mingo/core'
import * as accumulator from 'mingo/operators/accumulator'
import * as expression from 'mingo/operators/expression'
import * as pipeline from 'mingo/operators/pipeline'
import * as projection from 'mingo/operators/projection'
import * as query from 'mingo/operators/query'
import { compare } from 'mingo/util'

type ExpressionOperator = typeof expression.$lt

const comparison = (holds: (order: number) => boolean): ExpressionOperator => (doc, operands, options) => {
  const [left, right] = evalExpr(doc, operands, options) as unknown[]
  return holds(compare(left, right))
}

const comparisons = {
  $eq: comparison((order) => order === 0),
  $ne: comparison((order) => order !== 0),
  $lt: comparison((order) => order < 0),
  $lte: comparison((order) => order <= 0),
  $gt: comparison((order) => order > 0),
  $gte: comparison((order) => order >= 0)
}

// Outside of $group it gets the values themselves and no expression.
const $max: typeof accumulator.$max = (values, operand, options) =>
  accumulator.$max(operand === null ? values.filter((value) => value !== undefined) : values, operand, options)

/** The operators for mingo/query and its like. (mingo's main entry would merge its own with them for each query.) */
export const operators = Context.init({
  accumulator: { ...accumulator, $max },
  expression: { ...expression, ...comparisons },
  pipeline,
  projection,
  query
})
