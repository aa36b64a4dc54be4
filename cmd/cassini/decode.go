package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cassini/agent/frames/pcap"
	"cassini/cmd/cassini/internal/output"
	"cassini/model"
)

// decoded is what one LLDP or CDP frame of a capture says, or why it says nothing.
type decoded struct {
	Number    int       `json:"number"` // among all frames of the capture, from 1
	Time      time.Time `json:"time,omitzero"`
	Truncated bool      `json:"truncated,omitempty"` // the capture holds a part of it
	Error     string    `json:"error,omitempty"`
	*model.Discovery
}

// capture is what a file held.
type capture struct {
	decoded []decoded
	frames  int // all
	foreign int // those whose link is not known
	link    pcap.Link
}

func newDecode(sys *system) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "decode FILE",
		Short: "Show what LLDP, CDP and FDP frames in a capture say",
		Long: "Show what LLDP, CDP and FDP frames in a capture say. FILE is pcap or pcapng, gzipped or\n" +
			"not; - reads standard input. Needs no agent and no manager.",
		Example: "  cassini decode switch.pcap\n  tcpdump -i eth0 -c 1 -w - 'ether proto 0x88cc' | cassini decode - -o json",
		GroupID: groupAsk,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("want the FILE to read, or - for standard input")
			}
			return oneArg(nil, args)
		},
	}
	format := addEnum(cmd, "output", "o", "how to show it", formatTable, formatJSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, broken := decodeFile(cmd.Context(), args[0], cmd.InOrStdin())
		if c.frames == 0 && broken != nil {
			return broken
		}
		return errors.Join(c.show(sys, args[0], format.value), broken)
	}
	return cmd
}

// decodeFile reads a file as far as it can be read.
func decodeFile(ctx context.Context, name string, stdin io.Reader) (capture, error) {
	in, shown := stdin, "standard input"
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return capture{}, fmt.Errorf("read capture: %w", err)
		}
		defer f.Close()
		in, shown = f, name
	}
	var c capture
	err := pcap.Each(in, func(f pcap.Frame) error {
		c.add(f)
		return ctx.Err()
	})
	if err != nil {
		err = fmt.Errorf("read %s: %w", shown, err)
	}
	return c, err
}

func (c *capture) add(f pcap.Frame) {
	c.frames++
	if !f.Link.Known() {
		c.foreign, c.link = c.foreign+1, f.Link
		return
	}
	said, ok, err := f.Discovery()
	if !ok {
		return
	}
	d := decoded{Number: f.Number, Time: f.Time, Truncated: len(f.Data) < f.Length}
	if err != nil {
		d.Error = err.Error()
	} else {
		d.Discovery = &said
	}
	c.decoded = append(c.decoded, d)
}

func (c *capture) show(sys *system, name, format string) error {
	if c.foreign > 0 {
		fmt.Fprintf(sys.stderr, "%s: %d of %d frames are of %s, which is not read; want Ethernet or Linux cooked\n",
			output.Clean(name), c.foreign, c.frames, c.link)
	}
	switch {
	case format == formatJSON:
		return output.JSONArray(sys.stdout, c.decoded)
	case len(c.decoded) == 0:
		fmt.Fprintf(sys.stderr, "no LLDP or CDP among the %d frames of %s\n", c.frames, output.Clean(name))
		return nil
	}
	return decodedTable(c.decoded, sys.zone).Write(sys.stdout, sys.terminal())
}

func decodedTable(frames []decoded, zone *time.Location) *output.Table {
	t := &output.Table{Columns: []output.Column{
		{Title: "FRAME", Right: true}, {Title: "TIME"}, {Title: "PROTOCOL"}, {Title: "CHASSIS", Flex: true},
		{Title: "PORT", Flex: true}, {Title: "SYSTEM", Flex: true}, {Title: "ADDRESS", Optional: true},
		{Title: "VLAN", Right: true, Optional: true}, {Title: "TTL", Right: true}, {Title: "NOTES", Flex: true},
	}}
	for _, f := range frames {
		number, at := strconv.Itoa(f.Number), "-"
		if !f.Time.IsZero() {
			at = f.Time.In(zone).Format("2006-01-02 15:04:05.000")
		}
		if f.Discovery == nil {
			t.Add(output.Red, output.Text(number, at, "-", "-", "-", "-", "-", "-", "-", f.Error)...)
			continue
		}
		style := output.Plain
		if len(f.Problems) > 0 {
			style = output.Yellow
		}
		t.Add(style, output.Text(number, at, f.protocol(), f.Chassis.ID, f.Port.ID, f.system(), f.address(),
			numberOr(uint64(f.PortVLAN)), strconv.Itoa(int(f.TTL))+"s", f.notes())...)
	}
	return t
}

func (f decoded) protocol() string {
	if f.Version > 0 {
		return f.Protocol + "v" + strconv.Itoa(f.Version)
	}
	return f.Protocol
}

// system is the best word for what the device is.
func (f decoded) system() string {
	for _, text := range []string{f.SystemName, f.Platform, f.SystemDescr} {
		if text != "" {
			return text
		}
	}
	return "-"
}

func (f decoded) address() string {
	if addr, ok := f.ManagementIP(); ok {
		return addr.String()
	}
	return "-"
}

func (f decoded) notes() string {
	notes := f.Problems
	if f.Truncated {
		notes = append([]string{"cut by the capture"}, notes...)
	}
	return strings.Join(notes, "; ")
}

// numberOr is a number, or a dash for none.
func numberOr(n uint64) string {
	if n == 0 {
		return "-"
	}
	return strconv.FormatUint(n, 10)
}
