import "./node-start";
import { program } from "./program";

// The Pulumi CLI runs the function that a CommonJS entry exports, and takes what it returns as the stack's outputs.
export = program;
