"use strict";

// Starts `nasdsl lsp` for .space files. Colours and brackets work without it.

const vscode = require("vscode");

let client;

async function activate() {
    let languageclient;
    try {
        languageclient = require("vscode-languageclient/node");
    } catch (error) {
        if (error.code !== "MODULE_NOT_FOUND") throw error;
        vscode.window.showWarningMessage("nasdsl: run `npm install` in the folder of this extension, and restart.");
        return;
    }
    const [command, ...args] = vscode.workspace.getConfiguration("nasdsl").get("server");
    const server = { command, args, transport: languageclient.TransportKind.stdio };
    const files = { documentSelector: [{ language: "nasdsl-space" }] };
    client = new languageclient.LanguageClient("nasdsl", "nasdsl", server, files);
    await client.start();
}

function deactivate() {
    return client && client.stop();
}

module.exports = { activate, deactivate };
