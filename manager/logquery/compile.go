package logquery

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// Limits on one expression. The cost is CEL's own measure: about one for each step.
const (
	maxText      = 4096 // bytes
	maxDepth     = 50
	maxNodes     = 1000
	maxRegex     = 1000
	maxCost      = 100_000
	checkEvery   = 100 // steps of a comprehension between looks at the context
	maxListItems = 20
)

// compiler compiles expressions over one kind of record.
type compiler struct {
	env  *cel.Env
	vars []variable
	// fields says that names that are no variable are fields of the body.
	fields bool
}

func newCompiler(vars []variable, fields bool) (*compiler, error) {
	options := []cel.EnvOption{
		cel.CrossTypeNumericComparisons(true), cel.DefaultUTCTimeZone(true),
		cel.ParserRecursionLimit(maxDepth), cel.ParserExpressionSizeLimit(maxText),
		cel.ExpressionNodeLimit(maxNodes), cel.ExpressionNestingDepthLimit(maxDepth), cel.RegexProgramSizeLimit(maxRegex),
		cel.Function("bucket",
			cel.Overload("bucket_timestamp_duration", []*cel.Type{cel.TimestampType, cel.DurationType}, cel.TimestampType, cel.BinaryBinding(bucket))),
	}
	for _, v := range vars {
		options = append(options, cel.Variable(v.name, v.of))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		return nil, fmt.Errorf("prepare CEL: %w", err)
	}
	return &compiler{env: env, vars: vars, fields: fields}, nil
}

// bucket rounds a time down to a multiple of a duration, in UTC.
func bucket(at, width ref.Val) ref.Val {
	t, d := at.(types.Timestamp), width.(types.Duration)
	if d.Duration <= 0 {
		return types.NewErr("the width of a bucket must be more than nothing")
	}
	return types.Timestamp{Time: t.UTC().Truncate(d.Duration)}
}

// compile compiles one expression of a field of the question.
func (c *compiler) compile(field string, of item) (cel.Program, *cel.Type, error) {
	if len(of.text) > maxText {
		return nil, nil, &Error{Field: field, Detail: fmt.Sprintf("an expression has %d bytes, %d are allowed", len(of.text), maxText)}
	}
	if !utf8.ValidString(of.text) {
		return nil, nil, &Error{Field: field, Detail: "an expression is not UTF-8"}
	}
	text, added := renamed(of.text), 0
	if c.isField(of.text) {
		text, added = "body."+of.text, len("body.")
	}
	ast, issues := c.env.Compile(text)
	if issues.Err() != nil {
		return nil, nil, c.explain(field, of.text, added, issues.Errors()[0])
	}
	program, err := c.env.Program(ast, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(maxCost), cel.InterruptCheckFrequency(checkEvery))
	if err != nil {
		return nil, nil, &Error{Field: field, Detail: undone(err.Error())}
	}
	return program, ast.OutputType(), nil
}

// isField says whether an expression is a field of the body, or something in that: rtt,
// process.exe, cmdline[0].
func (c *compiler) isField(text string) bool {
	list := tokens(text)
	if !c.fields || len(list) == 0 || list[0].kind != 'i' || len(list) > 1 && list[1].kind != '.' && list[1].kind != '[' {
		return false
	}
	if slices.ContainsFunc(list, func(t token) bool { return !strings.ContainsRune("i.[]0s", rune(t.kind)) }) {
		return false
	}
	first := text[:list[0].end]
	return !slices.Contains([]string{"true", "false", "null", "in"}, first) && !slices.Contains(c.names(), first)
}

// names are the variables, as they are written.
func (c *compiler) names() []string {
	names := make([]string, len(c.vars))
	for i, v := range c.vars {
		names[i] = undone(v.name)
	}
	return names
}

func undone(text string) string { return strings.ReplaceAll(text, replacement, reserved) }

// explain says where an expression is wrong, and what may have been meant.
func (c *compiler) explain(field, text string, added int, e *common.Error) *Error {
	out := &Error{Field: field, Line: max(1, e.Location.Line()), Column: max(1, e.Location.Column()+1-added), Detail: undone(e.Message)}
	if lines := strings.Split(text, "\n"); out.Line > len(lines) {
		out.Line, out.Column = len(lines), utf8.RuneCountInString(lines[len(lines)-1])+1
	}
	out.Detail, _, _ = strings.Cut(strings.TrimPrefix(out.Detail, "Syntax error: "), " (in container")
	switch {
	case strings.HasPrefix(out.Detail, "undeclared reference to '"):
		out.Detail, _, _ = strings.Cut(out.Detail, " (did you mean")
		out.Hint = c.meant(strings.Trim(strings.TrimPrefix(out.Detail, "undeclared reference to "), "'"))
	case assigns(text):
		out.Hint = "equality is =="
	case strings.HasPrefix(out.Detail, "found no matching overload"):
		out.Hint = "the types do not fit: text is in quotes, and double(), int(), string(), timestamp() and duration() convert"
	}
	return out
}

// meant says what an unknown name may stand for.
func (c *compiler) meant(name string) string {
	for _, n := range c.names() {
		if near(n, name) {
			return fmt.Sprintf("is %q meant? There are %s", n, strings.Join(c.names(), ", "))
		}
	}
	known := "there are " + strings.Join(c.names(), ", ")
	if c.fields && name != "" && letter(name[0]) && name[0] >= 'a' {
		return fmt.Sprintf("a field of a document is written body.%s, a text %q; %s", name, name, known)
	}
	return known
}

// near says whether one letter more, less or different makes two names the same, or two
// that changed places.
func near(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	switch len(b) - len(a) {
	case 0:
		return i == len(a) || a[i+1:] == b[i+1:] || i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
	case 1:
		return a[i:] == b[i+1:]
	}
	return false
}

// assigns says whether a text has a single =, which means nothing in CEL.
func assigns(text string) bool {
	list := tokens(text)
	at := func(i int) byte {
		if i < 0 || i >= len(list) {
			return 0
		}
		return list[i].kind
	}
	for i := range list {
		if at(i) == '=' && at(i+1) != '=' && !strings.ContainsRune("=!<>", rune(at(i-1))) {
			return true
		}
	}
	return false
}
