# mxforge: from the name of a number format to verified Verilog. Type `make` for help.
# Every target sets up what it needs the first time; all output goes to build/.

PYTHON ?= python3
RUN := .venv/bin/python -m gen

# Each variable that has a value becomes an option, quoted for the shell; an empty one is the default.
quote = '$(subst ','\'',$(1))'
option = $(if $(strip $(2)),$(1) $(call quote,$(strip $(2))))
CONFIGURATION = $(call option,--fmt,$(FMT)) $(call option,--unit,$(UNIT)) \
	$(call option,--m,$(M)) $(call option,--n,$(N)) $(call option,--k,$(K)) \
	$(call option,--acc,$(ACC)) $(call option,--pipeline,$(PIPELINE)) \
	$(call option,--window,$(WINDOW)) $(call option,--fraction,$(FRACTION)) \
	$(call option,--out,$(OUT)) $(call option,--in,$(IN)) $(call option,--rule,$(RULE)) \
	$(call option,--lanes,$(LANES)) $(call option,--next,$(NEXT))

.PHONY: help verilog sim synth sweep claims tensors test bench peers lint clean icarus osu018
.DEFAULT_GOAL := help

help:
	@echo "mxforge: from the name of a number format to verified Verilog."
	@echo
	@echo "  make verilog FMT=amxfp4      build/verilog/NAME.v and NAME.json   [UNIT= M= N= K= ACC= PIPELINE= WINDOW= FRACTION= OUT=]"
	@echo "  make sim FMT=amxfp4          the Verilog against the golden model [SIM=icarus SEED= COUNT= DATA= WAVES=1 NETLIST=area LIB=]"
	@echo "  make synth FMT=amxfp4        area, longest path, breakdown by part [LIB=cells.lib.gz FLATTEN=0 TARGET=ice40 POWER=1]"
	@echo "  make sweep FMT=mxfp4,nvfp4   lists of all of these, as tables and plots [PLAN=few.toml JOBS= SCHEDULER=]"
	@echo "  make claims LIB=...          docs/claims.md, the papers' claims measured (an hour or more)"
	@echo "  make tensors                 build/tensors.npz out of SmolLM2-135M, for make sim DATA="
	@echo "  make test                    everything that must pass            [SEED=]"
	@echo "  make bench                   speed of the golden model                [WHAT=area ROW= LIB=: beside open designs]"
	@echo "  make peers                   the golden model beside gfloat, ml_dtypes and mmasim (installs torch)"
	@echo "  make lint                    ruff and mypy alone"
	@echo "  make clean                   remove build/"
	@echo
	@echo "FMT is a format, or a pair A:B (activations : weights). Known formats, units and"
	@echo "accumulators, all options and examples: $(RUN) verilog --help"

verilog: .venv/ready
	@$(RUN) verilog $(CONFIGURATION)

sim: .venv/ready $(if $(filter icarus,$(SIM)),icarus)
	@$(RUN) sim $(CONFIGURATION) $(call option,--sim,$(SIM)) $(call option,--seed,$(SEED)) \
		$(call option,--count,$(COUNT)) $(call option,--data,$(DATA)) $(call option,--waves,$(WAVES)) \
		$(call option,--netlist,$(NETLIST)) $(call option,--lib,$(LIB)) \
		$(call option,--models,$(MODELS))

synth: .venv/ready
	@$(RUN) synth $(CONFIGURATION) $(foreach lib,$(LIB),$(call option,--lib,$(lib))) \
		$(call option,--target,$(TARGET)) $(call option,--power,$(POWER)) $(call option,--data,$(DATA)) $(call option,--flatten,$(FLATTEN))

sweep: .venv/ready
	@$(RUN) sweep $(CONFIGURATION) $(foreach lib,$(LIB),$(call option,--lib,$(lib))) \
		$(call option,--flatten,$(FLATTEN)) $(call option,--power,$(POWER)) $(call option,--plan,$(PLAN)) \
		$(call option,--data,$(DATA)) \
		$(call option,--jobs,$(JOBS)) $(call option,--scheduler,$(SCHEDULER))

claims: .venv/tensors
	@$(RUN) claims $(foreach lib,$(LIB),$(call option,--lib,$(lib))) \
		$(call option,--fmt,$(FMT)) $(call option,--power,$(POWER)) $(call option,--jobs,$(JOBS))

tensors: .venv/tensors
	@$(RUN) tensors $(call option,--out,$(DATA))

test: lint icarus
	@.venv/bin/python -m pytest -n 2 --dist worksteal

bench: .venv/ready $(if $(filter area,$(WHAT)),$(if $(strip $(LIB)),,osu018))
	@$(RUN) bench $(or $(call option,,$(WHAT)),golden) $(foreach row,$(ROW),$(call option,--row,$(row))) \
		$(call option,--lib,$(LIB))

peers: .venv/peers
	@.venv/bin/python -m verif.peers $(call option,,$(DATA))

lint: .venv/ready
	@.venv/bin/python -m ruff check .
	@.venv/bin/python -m mypy

clean:
	rm -rf build

icarus:
	@sh gen/setup.sh icarus

osu018:
	@sh gen/setup.sh osu018

.venv/ready: requirements.lock pyproject.toml
	@PYTHON=$(call quote,$(PYTHON)) sh gen/setup.sh venv

# An environment whose Python no longer runs (moved, upgraded) is set up again.
ifneq ($(shell .venv/bin/python -c 'print(1)' 2>/dev/null),1)
.venv/ready: FORCE
FORCE:
endif

.venv/tensors: .venv/ready tensors.lock
	@sh gen/setup.sh tensors

.venv/peers: .venv/ready peers.lock
	@sh gen/setup.sh peers
