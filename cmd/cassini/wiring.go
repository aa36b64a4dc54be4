package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/output"
	"cassini/cmd/cassini/internal/view"
	"cassini/model"
)

// maxPlan is how many bytes of a plan are read; the manager takes fewer.
const maxPlan = 64 << 20

// wiringFlags are what is asked about cables.
type wiringFlags struct {
	plan, host           string
	export, all, partial bool
	at                   *atFlag
}

func newWiring(sys *system) *cobra.Command {
	f := &wiringFlags{}
	cmd := &cobra.Command{
		Use:   "wiring --plan FILE | --export",
		Short: "Hold cables against a plan: right, wrong port, wrong switch, missing, unplanned",
		Long: "Hold cables against a plan: CSV whose first line names the columns host, interface, switch\n" +
			"and port (others are left alone), or what 'lldpcli -f json0 show neighbors' wrote on the host\n" +
			"that --host names. Switches go by their name with or without domain, their chassis or their\n" +
			"management address, ports by identifier or description, abbreviated or not.\n\n" +
			"--export writes a plan of what is heard now. With --plan the exit code is 0 if every cable\n" +
			"is right, and 1 otherwise.",
		Example: "  cassini wiring --export > plan.csv\n  cassini wiring --plan plan.csv\n  cassini wiring --plan web-17.json --host web-17 --all",
		Args:    noArgs,
	}
	cmd.Flags().StringVar(&f.plan, "plan", "", "`file` with the plan, - for standard input")
	cmd.Flags().BoolVar(&f.export, "export", false, "write what is heard as a plan")
	cmd.Flags().StringVar(&f.host, "host", "", "only cables of this `host`")
	cmd.Flags().BoolVar(&f.all, "all", false, "show also what is right")
	cmd.Flags().BoolVar(&f.partial, "partial", false, "hosts that are not in the plan may have cables")
	f.at = addAt(cmd, sys)
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, _ []string) error {
		switch {
		case f.export == (f.plan != ""):
			return usagef("want either --plan FILE or --export")
		case f.export && (f.all || f.partial):
			return usagef("--all and --partial are for --plan")
		case f.export:
			format := map[string]string{formatTable: "csv", formatJSON: "json"}[a.format.value]
			return c.Export(ctx, a.stdout, "wiring", format, client.Query{}.With("host", f.host).At(f.at.Time))
		}
		return a.wiring(ctx, c, f, cmd.InOrStdin())
	})
	return cmd
}

// wiring shows cables against a plan, and fails silently if one is not right.
func (a *asker) wiring(ctx context.Context, c *client.Client, f *wiringFlags, stdin io.Reader) error {
	plan, err := readPlan(f.plan, stdin)
	if err != nil {
		return err
	}
	media := "text/csv"
	if begin := bytes.TrimLeft(plan, " \t\r\n"); len(begin) > 0 && (begin[0] == '{' || begin[0] == '[') {
		media = "application/json"
		if f.host == "" {
			return usagef("lldpcli's output does not say on which host it ran: name it with --host")
		}
	}
	query := client.Query{}.With("host", f.host).At(f.at.Time)
	if f.partial {
		query = query.With("partial", "true")
	}
	answer, err := c.Wiring(ctx, plan, media, query)
	if err != nil {
		return err
	}
	wrong := len(answer.Cables) - answer.Counts[model.CableRight]
	if a.format.value == formatJSON {
		err = output.JSON(a.stdout, answer)
	} else {
		fmt.Fprintln(a.stdout, view.CablingTitle(answer))
		if table := view.Cabling(answer, f.all); table.Len() > 0 {
			err = table.Write(a.stdout, a.terminal())
		}
	}
	if err == nil && wrong > 0 {
		return errSilent
	}
	return err
}

func readPlan(name string, stdin io.Reader) ([]byte, error) {
	from := stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, usagef("--plan: %w", err)
		}
		defer file.Close()
		from = file
	}
	plan, err := io.ReadAll(io.LimitReader(from, maxPlan))
	if err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	return plan, nil
}
